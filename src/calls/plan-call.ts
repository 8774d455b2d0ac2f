import type { DescMessage } from "@bufbuild/protobuf";
import { selectAccount } from "../accounts/keys.ts";
import type { CallerWords } from "../chat/planning/caller-words.ts";
import type { ExtraFields } from "../chat/planning/extra-fields.ts";
import { anyOptions, optionViolations } from "../chat/planning/provider-options.ts";
import { Pace } from "../pace.ts";
import type { ProfileName } from "../profiles/profiles.ts";
import { targetOf } from "../routing/target.ts";
import type { Call } from "./call.ts";
import { type ChatWrapper, checkChat } from "./check-chat.ts";
import { type Plan, planChat } from "./plan.ts";
import type { PlanContext } from "./plan-context.ts";

/** Request of a call, from Dragoman's own API or from another HTTP API. */
export interface CallRequest<Desc extends DescMessage> {
  readonly schema: Desc;
  /** Builds the request message. Runs within the call, so that a failure is recorded like any other. */
  readonly message: () => ChatWrapper<Desc>;
  /** Whether the caller requested a stream rather than a single response. */
  readonly streamed: boolean;
  /** Profile of the HTTP API. Default: the API has none (profile.proto documents the order). */
  readonly profile?: ProfileName;
  /** Whether an HTTP API set the provider options, from fields of its own. Default: the caller set them. */
  readonly translatesOptions?: boolean;
  /** Whether the plan describes the body of a stream, also for a caller that wants no stream. Default false. */
  readonly plansStream?: boolean;
  /** Words of the caller's API. Default: those of Dragoman's own API. */
  readonly words?: CallerWords;
  /** Fields of the HTTP API that ChatRequest lacks. Default: none. */
  readonly extras?: ExtraFields | undefined;
}

/** Maximum length of recorded names in UTF-16 units: the proto allows 256 characters, each at most two units. */
const maxNameLength = 512;

/** Maximum number of recorded labels: the proto allows as many. */
const mostLabels = 16;

/** Bytes from which decoding a request can take 10 ms. */
const largeRequest = 128 * 1024;

/**
 * Validates the request of a call and plans it for its target. Adds account, user, model and provider to the record.
 */
export async function planCall<Desc extends DescMessage>(
  call: Call,
  {
    schema,
    message,
    streamed,
    profile,
    translatesOptions = false,
    plansStream = false,
    words,
    extras,
  }: CallRequest<Desc>,
): Promise<Plan> {
  const pace = new Pace();
  const request = message();
  // The listener has decoded the request in this turn of the event loop.
  if (call.requestBytes > largeRequest) await pace.nextTurn();
  call.signal.throwIfAborted();
  const { catalog, adapters, rejectsOptions, profile: configuredProfile } = call.snapshot;
  const { user = "", labels = {}, model = "", accountId = "" } = request.chat ?? {};
  // These values are not validated yet, and the record is written to the log: truncate them.
  call.note({ user: cut(user), labels: cutLabels(labels), model: cut(model) });
  const account = selectAccount(call.caller, call.source.requestHeader.get("x-selected-account-id"), accountId);
  call.note({ accountId: cut(account) });
  const context: PlanContext = {
    account,
    holder: call.holder,
    streamed,
    maxValues: call.maxValues,
    counting: call.counting,
    signal: call.signal,
    learnedBy: (target) => call.learned.of(target),
    ...(plansStream && { sendsStream: true }),
    ...(profile && { apiProfile: profile }),
    ...(configuredProfile && { configuredProfile }),
    checkOptions(chat, { provider }) {
      if (translatesOptions) return [];
      return rejectsOptions
        ? anyOptions(chat)
        : optionViolations(chat, provider, adapters.get(provider)?.contractNames);
    },
    ...(words && { words }),
    ...(extras && { extras }),
  };
  const checked = checkChat(schema, request, catalog, context);
  call.note({ model: checked.model.id, provider: checked.model.provider, profile: checked.profile.name });
  call.acquireSlot(checked.profile.maxConcurrentCalls);
  if (pace.isLong) await pace.nextTurn();
  call.signal.throwIfAborted();
  return planChat(checked, targetOf(checked.model, adapters), context);
}

function cut(name: string): string {
  return name.slice(0, maxNameLength);
}

/** Truncates labels to the number and the lengths that the proto allows. */
function cutLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries: [string, string][] = [];
  for (const name in labels) {
    if (entries.length === mostLabels) break;
    entries.push([cut(name), cut(labels[name] ?? "")]);
  }
  return Object.fromEntries(entries);
}

import type { DescMessage } from "@bufbuild/protobuf";
import { selectAccount } from "../accounts/keys.ts";
import { anyOptions, optionViolations } from "../chat/planning/provider-options.ts";
import type { FieldPath } from "../field-path.ts";
import { Pace } from "../pace.ts";
import type { ProfileName } from "../profiles/profiles.ts";
import { targetOf } from "../routing/target.ts";
import type { Call } from "./call.ts";
import { type ChatWrapper, checkChat, type Plan, type PlanContext, planChat } from "./plan.ts";

/** Request of a call, from Dragoman's own API or from another HTTP API. */
export interface CallRequest<Desc extends DescMessage> {
  readonly schema: Desc;
  /** Builds the request message. Runs within the call, so that a failure is recorded like any other. */
  readonly message: () => ChatWrapper<Desc>;
  /** Whether the caller requested a stream rather than a single response. */
  readonly streamed: boolean;
  /** Profile of the HTTP API, which overrides the model's profile. Default: the model's. */
  readonly profile?: ProfileName;
  /** Whether an HTTP API set the provider options, from fields of its own. Default: the caller set them. */
  readonly translatesOptions?: boolean;
  /** Returns the name of a field in the caller's API. Default: the name in the proto. */
  readonly nameField?: (path: FieldPath) => string;
}

/** Maximum length of recorded names in UTF-16 units: the proto allows 256 characters, each at most two units. */
const maxNameLength = 512;

/** Bytes from which decoding a request can take 10 ms. */
const largeRequest = 128 * 1024;

/**
 * Validates the request of a call and plans it for its target. Adds account, user, model and provider to the record.
 */
export async function planCall<Desc extends DescMessage>(
  call: Call,
  { schema, message, streamed, profile, translatesOptions = false, nameField }: CallRequest<Desc>,
): Promise<Plan> {
  const pace = new Pace();
  const request = message();
  // The listener has decoded the request in this turn of the event loop.
  if (call.requestBytes > largeRequest) await pace.nextTurn();
  call.signal.throwIfAborted();
  const { catalog, adapters, rejectsOptions } = call.snapshot;
  const { user = "", model = "", accountId = "" } = request.chat ?? {};
  // These values are not validated yet, and the record is written to the log: truncate them.
  call.note({ user: user.slice(0, maxNameLength), model: model.slice(0, maxNameLength) });
  const account = selectAccount(call.caller, call.source.requestHeader.get("x-selected-account-id"), accountId);
  call.note({ accountId: account.slice(0, maxNameLength) });
  const context: PlanContext = {
    account,
    holder: call.holder,
    streamed,
    maxValues: call.maxValues,
    counting: call.counting,
    signal: call.signal,
    ...(profile && { profile }),
    checkOptions(chat, { provider }) {
      if (translatesOptions) return [];
      return rejectsOptions
        ? anyOptions(chat)
        : optionViolations(chat, provider, adapters.get(provider)?.contractNames);
    },
    ...(nameField && { nameField }),
  };
  const checked = checkChat(schema, request, catalog, context);
  call.note({ model: checked.model.id, provider: checked.model.provider });
  call.acquireSlot(checked.profile.maxConcurrentCalls);
  if (pace.isLong) await pace.nextTurn();
  call.signal.throwIfAborted();
  return planChat(checked, targetOf(checked.model, adapters), context);
}

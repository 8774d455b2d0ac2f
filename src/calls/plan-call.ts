import type { DescMessage } from "@bufbuild/protobuf";
import type { CallerWords } from "../chat/planning/caller-words.ts";
import type { ExtraFields } from "../chat/planning/extra-fields.ts";
import { anyOptions, optionViolations } from "../chat/planning/provider-options.ts";
import { annotationViolations } from "../chat/validation/annotations.ts";
import { invalidRequest } from "../errors.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { Pace } from "../pace.ts";
import type { ProfileName } from "../profiles/profiles.ts";
import { type Conversation, conversationOf } from "../routing/affinity.ts";
import type { CandidateRoute } from "../routing/candidate.ts";
import { tokenCounter } from "../tokens/counter.ts";
import { type RequestSize, sizeOfChat } from "../tokens/request-size.ts";
import type { TokenCount } from "../tokens/token-count.ts";
import { estimateChatTokens } from "../tokens/usage-estimate.ts";
import { allowedModels, requireAllowed } from "./allowed-models.ts";
import type { Call } from "./call.ts";
import { type CallTarget, type NamingRequest, targetsOf } from "./call-targets.ts";
import { type ChatWrapper, type CheckedRequest, checkRequest, checkTarget } from "./check-chat.ts";
import { noteCaller } from "./note-caller.ts";
import { type Plan, planChat, servedBy } from "./plan.ts";
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

/** Bytes from which decoding a request can take 10 ms. */
const largeRequest = 128 * 1024;

/** Valid request of a call, with the targets that it may use. */
export interface PreparedCall {
  /** The caller's request. */
  readonly chat: ChatRequest;
  /** Account of the call. Empty: none. */
  readonly account: string;
  readonly route: CandidateRoute<CallTarget>;
  /** The conversation for affinity. Undefined: the call has only one target and key. */
  readonly conversation: Conversation | undefined;
  readonly size: RequestSize;
  /** Counts the caller's prompt for a model. */
  countPrompt(model: Model): Promise<TokenCount>;
  /** Plans the request for a target. Throws a GatewayError if the target cannot serve it. */
  plan(candidate: CallTarget): Promise<Plan>;
}

/**
 * Validates the request of a call and finds its targets. Adds account, user, labels and model to the record.
 */
export async function prepareCall<Desc extends DescMessage>(
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
): Promise<PreparedCall> {
  const pace = new Pace();
  const request = message();
  // The listener has decoded the request in this turn of the event loop.
  if (call.requestBytes > largeRequest) await pace.nextTurn();
  call.signal.throwIfAborted();
  const { snapshot, router } = call;
  const { catalog, adapters, rejectsOptions, profile: configuredProfile } = snapshot;
  const { user = "", labels = {}, model = "", accountId = "" } = request.chat ?? {};
  const account = noteCaller(call, { user, labels, model, accountId }, streamed);
  const allowed = allowedModels(call, account);
  const context: PlanContext = {
    account,
    holder: call.holder,
    streamed,
    maxValues: call.maxValues,
    counting: call.counting,
    signal: call.signal,
    learnedBy: (target) => call.learned.of(target),
    sendsStream: plansStream || undefined,
    apiProfile: profile,
    configuredProfile,
    prices: snapshot.prices,
    checkOptions(chat, model) {
      if (translatesOptions) return [];
      if (rejectsOptions) return anyOptions(chat);
      const adapter = adapters.get(model.provider);
      const served = adapter && servedBy({ model, adapter }, chat, extras).adapter;
      return optionViolations(chat, model.provider, served?.contractNames);
    },
    words,
    extras,
  };
  const checked = checkRequest(request, await annotationViolations(schema, request), call.maxValues);
  if (pace.isLong) await pace.nextTurn();
  call.signal.throwIfAborted();
  const { chat } = checked;
  const route = resolved(checked, (valid) => {
    requireAllowed(valid, allowed);
    return targetsOf({ request: namesOf(valid), snapshot, account, router });
  });
  const { holder } = call;
  call.note({ route: route.id });
  return {
    chat,
    account,
    route,
    conversation: hasChoice(route) ? conversationOf(chat, `${route.id || chat.model} ${holder}`) : undefined,
    size: sizeOfChat(chat),
    countPrompt(model) {
      const counting = { holder, signal: call.signal, limits: call.counting };
      return tokenCounter(model, counting, adapters.get(model.provider)?.dialect).count(chat);
    },
    async plan({ target, obstacle, route: settings }) {
      if (target === undefined) throw obstacle;
      const deployment = catalog.deploymentOf(target.model.id);
      const routeProfile = settings?.profile;
      const ofRoute = routeProfile === undefined ? context : { ...context, routeProfile };
      const valid = checkTarget(checked, target.model, deployment, ofRoute);
      call.acquireSlot(valid.profile.maxConcurrentCalls);
      if (pace.isLong || call.requestBytes > largeRequest) await pace.nextTurn();
      call.signal.throwIfAborted();
      return planChat(valid, target, context);
    },
  };
}

/**
 * Resolves names. Mistakes of the request come first: they can be the reason for a wrong name. The fallbacks of such a
 * request are not resolved, because it can have any number of them.
 */
function resolved(
  { chat, violations }: CheckedRequest,
  resolve: (chat: ChatRequest) => CandidateRoute<CallTarget>,
): CandidateRoute<CallTarget> {
  if (violations.length === 0) return resolve(chat);
  try {
    return resolve({ ...chat, fallbackModels: [] });
  } catch {
    throw invalidRequest(violations);
  }
}

/** Whether a call has several targets or keys, so that it matters which one has its prompt cached. */
function hasChoice({ tiers, rules }: CandidateRoute<CallTarget>): boolean {
  const [tier] = tiers;
  const [only] = tier?.members ?? [];
  return rules.affinity && !(tiers.length === 1 && tier?.members.length === 1 && only?.keys.length === 1);
}

function namesOf(chat: ChatRequest): NamingRequest {
  const { model, fallbackModels, parameters } = chat;
  const inputTokens = () => estimateChatTokens(chat);
  const maxOutputTokens = parameters?.maxOutputTokens;
  return { operation: "chat", model, fallbackModels, maxOutputTokens, inputTokens };
}

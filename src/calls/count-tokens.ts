import type { DescMessage } from "@bufbuild/protobuf";
import { GatewayError, type Reason, toGatewayError } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import { AttemptRecord } from "../routing/attempt-record.ts";
import { chooseKey } from "../routing/candidate.ts";
import { firstUpstreamRequest } from "../routing/choices.ts";
import { countTextTokens, tokenCounter } from "../tokens/counter.ts";
import type { TokenCount } from "../tokens/token-count.ts";
import type { Call } from "./call.ts";
import type { CallTarget } from "./call-targets.ts";
import type { Plan } from "./plan.ts";
import { type CallRequest, prepareCall } from "./plan-call.ts";

/** Number of tokens of a prompt, and for which model. */
export interface CountedPrompt extends TokenCount {
  /** Model.id of the target that the request would use now. */
  readonly model: string;
}

/** Maximum time in ms to wait for a provider's count. */
const longestMs = 5_000;

/**
 * Counts the prompt tokens of a request for the target that it would use now: exactly if Dragoman can, else by asking the
 * provider, where that is free. If the provider fails or needs too long, the count is an estimate.
 */
export async function countTokens<Desc extends DescMessage>(
  call: Call,
  request: CallRequest<Desc>,
): Promise<CountedPrompt> {
  const { plan, considered } = await planFirst(call, request);
  const { model } = plan.target;
  call.note({ model: model.id, provider: model.provider, profile: plan.profile.name });
  const counted = await countPrompt(plan, call);
  const first = considered.find(({ rejection }) => rejection === "");
  const asked = counted.exact || first === undefined ? undefined : await askProvider(plan, first.candidate, call);
  const count = asked === undefined ? counted : { tokens: asked, exact: true, low: asked, high: asked };
  return { ...count, model: model.id };
}

/** Plans a request for the target that it would use now. */
export async function planFirst<Desc extends DescMessage>(call: Call, request: CallRequest<Desc>) {
  const { route, conversation, plan } = await prepareCall(call, request);
  return call.router.consider({ signal: call.signal, conversation, leftMs: () => call.leftMs, plan }, route);
}

/**
 * Counts the tokens of the rendered prompt, or of the request if no template was rendered. With `chat_template`
 * the count is an estimate, because a provider that renders the template itself may add a start token.
 */
export async function countPrompt(
  { request, target: { model, adapter }, prompt }: Plan,
  call: Call,
): Promise<TokenCount> {
  const { holder, signal, counting: limits } = call;
  const context = { holder, signal, limits };
  if (prompt === undefined) return tokenCounter(model, context, adapter.dialect).count(request);
  const count = await countTextTokens(prompt, model, context);
  return { ...count, exact: count.exact && request.chatTemplate === undefined };
}

/**
 * Failures of a count that hold for every request with the key. A rate limit does not: Anthropic has other limits for
 * counts than for responses. No failure of a count reaches the breaker of the target, since the method that counts can
 * fail or be missing while the model responds.
 */
const keyFailures: ReadonlySet<Reason> = new Set<Reason>(["PROVIDER_CREDENTIALS_REJECTED", "PROVIDER_QUOTA_EXHAUSTED"]);

/** Asks the provider of a plan for the count. Undefined: it does not count, or it fails. */
async function askProvider({ request, target }: Plan, candidate: CallTarget, call: Call): Promise<number | undefined> {
  const { model, adapter } = target;
  const ask = adapter.countTokens?.(firstUpstreamRequest(request, target), model);
  if (ask === undefined) return undefined;
  const chosen = chooseKey(candidate, new Set(), undefined, Math.random);
  const key = chosen?.key ?? adapter.keys?.[0];
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(tooSlow(model.provider)), Math.min(longestMs, call.leftMs / 2));
  const signal = AbortSignal.any([call.signal, timeout.signal]);
  const onEnd = (ended: Attempt) => call.attemptEnded(ended);
  const record = new AttemptRecord(model, { signal, elapsedMs: () => call.elapsedMs, onEnd }, key?.name);
  const { attempt } = record;
  try {
    record.begin();
    call.note({ attempts: [attempt] });
    const trace = call.attemptBegins(attempt, request, adapter.baseUrl);
    const queue = { waitsFor: undefined };
    const tokens = await ask({ signal, holder: call.holder, attempt, queue, trace, apiKey: key?.secret });
    record.counted();
    return tokens;
  } catch (thrown) {
    call.signal.throwIfAborted();
    const failure = toGatewayError(thrown);
    if (failure.reason === "INTERNAL") throw failure;
    record.failed(failure.reason);
    call.attemptFailed(attempt, failure, request);
    if (chosen !== undefined && keyFailures.has(failure.reason)) candidate.state.refuseKey(chosen, failure);
    return undefined;
  } finally {
    clearTimeout(timer);
    record.end();
  }
}

function tooSlow(provider: string): GatewayError {
  return new GatewayError("PROVIDER_TIMEOUT", `the provider ${provider} did not count the tokens in time`);
}

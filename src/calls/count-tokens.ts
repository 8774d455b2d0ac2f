import type { DescMessage } from "@bufbuild/protobuf";
import { countTextTokens, tokenCounter } from "../tokens/counter.ts";
import type { TokenCount } from "../tokens/token-count.ts";
import type { Call } from "./call.ts";
import type { Plan } from "./plan.ts";
import { type CallRequest, prepareCall } from "./plan-call.ts";

/** Counts the input tokens of a chat request, as Dragoman would send it to its first usable target. Calls no provider. */
export async function countTokens<Desc extends DescMessage>(
  call: Call,
  request: CallRequest<Desc>,
): Promise<TokenCount> {
  const { plan } = await planFirst(call, request);
  return countPrompt(plan, call);
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

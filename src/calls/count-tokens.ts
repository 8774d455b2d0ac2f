import type { DescMessage } from "@bufbuild/protobuf";
import { countTextTokens, tokenCounter } from "../tokens/counter.ts";
import type { TokenCount } from "../tokens/token-count.ts";
import type { Call } from "./call.ts";
import type { Plan } from "./plan.ts";
import { type CallRequest, prepareCall } from "./plan-call.ts";

/** Counts the input tokens of a chat request, as Dragoman would send it to its first usable target. */
export async function countTokens<Desc extends DescMessage>(
  call: Call,
  request: CallRequest<Desc>,
): Promise<TokenCount> {
  const { route, conversation, plan: planFor } = await prepareCall(call, request);
  const { signal, router } = call;
  const { plan } = await router.consider({ signal, conversation, leftMs: () => call.leftMs, plan: planFor }, route);
  return countPrompt(plan, call);
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

import { create } from "@bufbuild/protobuf";
import {
  type PlanChatRequest,
  PlanChatRequestSchema,
  type PlanChatResponse,
  PlanChatResponseSchema,
} from "../gen/dragoman/v1/chat_service_pb.js";
import { UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import { stringifyExact } from "../providers/kit/exact-json.ts";
import { firstCall } from "../routing/choices.ts";
import type { Gateway } from "../server/services/gateway.ts";
import { countTextTokens, tokenCounter } from "../tokens/counter.ts";
import type { TokenCount } from "../tokens/token-count.ts";
import { checkChat, type Plan, type PlanContext, planChat } from "./plan.ts";

const greatestInt32 = 2 ** 31 - 1;

/** What would be sent for a request, without asking any provider. */
export async function describePlan(
  gateway: Gateway,
  request: PlanChatRequest,
  context: PlanContext,
): Promise<PlanChatResponse> {
  const checked = checkChat(PlanChatRequestSchema, request, gateway, context);
  const plan = await planChat(checked, gateway, context);
  const { model, adapter, prompt } = plan;
  const body = adapter.describe(firstCall(plan.request, model, adapter), model, prompt);
  const count = await countPrompt(plan, context.signal);
  return create(PlanChatResponseSchema, {
    model: model.id,
    provider: model.provider,
    profile: plan.profile.name,
    effectiveParameters: plan.effectiveParameters,
    warnings: [...plan.warnings],
    messages: plan.request.messages,
    renderedPrompt: prompt ?? "",
    inputTokens: count.tokens,
    inputTokensQuality: count.exact ? UsageQuality.EXACT : UsageQuality.ESTIMATED,
    providerRequestJson: body === undefined ? "" : stringifyExact(body),
    outputTokensLimit: outputTokensLimit(plan, count),
  });
}

/**
 * A prompt that was written here is counted as it is. That of a caller's template is an estimate all the same, since a
 * server that renders it itself may put a token of its own before it.
 */
async function countPrompt({ request, model, prompt }: Plan, signal: AbortSignal): Promise<TokenCount> {
  if (prompt === undefined) return tokenCounter(model, signal).count(request);
  const count = await countTextTokens(prompt, model, signal);
  return { ...count, exact: count.exact && request.chatTemplate === undefined };
}

/** The most tokens of all choices together, of what is known to bound one; 0 where nothing is. */
function outputTokensLimit({ effectiveParameters, model }: Plan, count: TokenCount): number {
  const { maxOutputTokens = 0, n = 1 } = effectiveParameters;
  const { contextWindowTokens: window } = model;
  const room = window > 0 ? Math.max(1, window - count.low) : 0;
  const known = [maxOutputTokens, model.maxOutputTokens, room].filter((limit) => limit > 0);
  return known.length === 0 ? 0 : Math.min(Math.min(...known) * n, greatestInt32);
}

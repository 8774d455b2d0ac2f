import { create } from "@bufbuild/protobuf";
import type { TokenCount } from "../chat/context-window.ts";
import {
  type PlanChatRequest,
  PlanChatRequestSchema,
  type PlanChatResponse,
  PlanChatResponseSchema,
} from "../gen/dragoman/v1/chat_service_pb.js";
import { UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import { tokenCounter } from "../models/tokens/counter.ts";
import { stringifyExact } from "../providers/upstream/exact-json.ts";
import { firstCall } from "../routing/fan-out.ts";
import type { Gateway } from "./gateway.ts";
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
  const count = await tokenCounter(model, context.signal).count(plan.request);
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

/** The most tokens of all choices together, of what is known to bound one; 0 where nothing is. */
function outputTokensLimit({ effectiveParameters, model }: Plan, count: TokenCount): number {
  const { maxOutputTokens = 0, n = 1 } = effectiveParameters;
  const { contextWindowTokens: window } = model;
  const room = window > 0 ? Math.max(1, window - count.low) : 0;
  const known = [maxOutputTokens, model.maxOutputTokens, room].filter((limit) => limit > 0);
  return known.length === 0 ? 0 : Math.min(Math.min(...known) * n, greatestInt32);
}

import { create } from "@bufbuild/protobuf";
import {
  type PlanChatRequest,
  PlanChatRequestSchema,
  type PlanChatResponse,
  PlanChatResponseSchema,
} from "../gen/dragoman/v1/chat_service_pb.js";
import { UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import { profileValues } from "../profiles/select-profile.ts";
import { stringifyExact } from "../providers/kit/exact-json.ts";
import { firstUpstreamRequest } from "../routing/choices.ts";
import type { TokenCount } from "../tokens/token-count.ts";
import type { Call } from "./call.ts";
import { countPrompt, planFirst } from "./count-tokens.ts";
import type { Plan } from "./plan.ts";

const greatestInt32 = 2 ** 31 - 1;

/** Describes what Dragoman would send for a request. Calls no provider. */
export async function describePlan(call: Call, request: PlanChatRequest): Promise<PlanChatResponse> {
  const { plan, considered } = await planFirst(call, {
    schema: PlanChatRequestSchema,
    message: () => request,
    streamed: false,
    plansStream: true,
  });
  const { target, prompt } = plan;
  const { model, adapter } = target;
  const body = adapter.describe(firstUpstreamRequest(plan.request, target), model, prompt);
  const count = await countPrompt(plan, call);
  return create(PlanChatResponseSchema, {
    model: model.id,
    provider: model.provider,
    profile: profileValues[plan.profile.name],
    effectiveParameters: plan.effectiveParameters,
    warnings: [...plan.warnings],
    messages: plan.request.messages,
    renderedPrompt: prompt ?? "",
    inputTokens: count.tokens,
    inputTokensQuality: count.exact ? UsageQuality.EXACT : UsageQuality.ESTIMATED,
    providerRequestJson: body === undefined ? "" : stringifyExact(body),
    outputTokensLimit: outputTokensLimit(plan, count),
    consideredTargets: considered.map(({ candidate, rejection }) => ({
      target: candidate.state.name,
      usable: rejection === "",
      rejection,
    })),
  });
}

/** Maximum output tokens of all choices together, from the known limits per choice. 0: no limit is known. */
function outputTokensLimit({ effectiveParameters, target: { model } }: Plan, count: TokenCount): number {
  const { maxOutputTokens = 0, n = 1 } = effectiveParameters;
  const { contextWindowTokens: window } = model;
  const room = window > 0 ? Math.max(1, window - count.low) : 0;
  const known = [maxOutputTokens, model.maxOutputTokens, room].filter((limit) => limit > 0);
  return known.length === 0 ? 0 : Math.min(Math.min(...known) * n, greatestInt32);
}

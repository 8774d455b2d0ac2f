import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { selectAccount } from "../accounts/keys.ts";
import { createFold } from "../chat/fold.ts";
import { annotationViolations } from "../chat/validate.ts";
import {
  type ChatService,
  CompleteChatRequestSchema,
  type CompleteChatResponse,
  type PlanChatRequest,
  PlanChatRequestSchema,
  type PlanChatResponse,
  PlanChatResponseSchema,
  StreamChatRequestSchema,
} from "../gen/dragoman/v1/chat_service_pb.js";
import { UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import { tokenCounter } from "../models/tokens/counter.ts";
import type { Call } from "./call.ts";
import { toConnectError } from "./error-details.ts";
import { callerOf, type Gateway, lookup } from "./gateway.ts";
import { checkChat, type PlanContext, planChat } from "./plan.ts";
import { serveChat } from "./serve-chat.ts";

/** ChatService, the same for both listeners. */
export function createChatService(gateway: Gateway): ServiceImpl<typeof ChatService> {
  // The rules are compiled at the first use, which takes about 150 ms: not the first caller's.
  for (const schema of [CompleteChatRequestSchema, StreamChatRequestSchema, PlanChatRequestSchema]) {
    annotationViolations(schema, create(schema));
  }
  /** What every call through Connect's types has in common. */
  const through = (context: HandlerContext) => ({
    source: context,
    caller: callerOf(context),
    onBegin: (call: Call) => context.responseHeader.set("x-request-id", call.requestId),
    toThrown: toConnectError,
  });
  return {
    async completeChat(request, context): Promise<CompleteChatResponse> {
      const fold = createFold();
      const events = serveChat(gateway, {
        ...through(context),
        method: "CompleteChat",
        schema: CompleteChatRequestSchema,
        message: () => request,
        streamed: false,
        keepProviderDeltas: false,
      });
      for await (const { event } of events) {
        if (event.case !== undefined) fold.add(event);
      }
      return { $typeName: "dragoman.v1.CompleteChatResponse", completion: fold.completion };
    },

    streamChat: (request, context) =>
      serveChat(gateway, {
        ...through(context),
        method: "StreamChat",
        schema: StreamChatRequestSchema,
        message: () => request,
        streamed: true,
        keepProviderDeltas: request.options?.keepProviderDeltas ?? false,
      }),

    planChat: lookup(async (request, { requestHeader, signal }, caller) => {
      const account = selectAccount(caller, requestHeader.get("x-selected-account-id"), request.chat?.accountId ?? "");
      return describePlan(gateway, request, { account, streamed: false, signal });
    }),
  };
}

async function describePlan(
  gateway: Gateway,
  request: PlanChatRequest,
  context: PlanContext,
): Promise<PlanChatResponse> {
  const checked = checkChat(PlanChatRequestSchema, request, gateway, context);
  const plan = await planChat(checked, gateway, context);
  const { model, effectiveParameters, prompt = "" } = plan;
  const body = plan.adapter.describe(plan.request, model, plan.prompt);
  const { maxOutputTokens = model.maxOutputTokens, n = 1 } = effectiveParameters;
  const count = await tokenCounter(model, context.signal).count(plan.request);
  return create(PlanChatResponseSchema, {
    model: model.id,
    provider: model.provider,
    profile: plan.profile.name,
    effectiveParameters,
    warnings: [...plan.warnings],
    messages: plan.request.messages,
    renderedPrompt: prompt,
    inputTokens: count.tokens,
    inputTokensQuality: count.exact ? UsageQuality.EXACT : UsageQuality.ESTIMATED,
    providerRequestJson: body === undefined ? "" : JSON.stringify(body),
    outputTokensLimit: maxOutputTokens * n,
  });
}

import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { describePlan } from "../../calls/describe-plan.ts";
import { serveChat } from "../../calls/serve-chat.ts";
import { createFold } from "../../chat/stream/fold.ts";
import { prepareCheck } from "../../chat/validation/annotations.ts";
import {
  type ChatService,
  CompleteChatRequestSchema,
  type CompleteChatResponse,
  PlanChatRequestSchema,
  StreamChatRequestSchema,
} from "../../gen/dragoman/v1/chat_service_pb.js";
import { answerCall, enterMethod } from "./admitted-call.ts";

/** Creates ChatService for both listeners. */
export function createChatService(): ServiceImpl<typeof ChatService> {
  for (const schema of [CompleteChatRequestSchema, StreamChatRequestSchema, PlanChatRequestSchema]) {
    prepareCheck(schema);
  }
  return {
    async completeChat(request, context): Promise<CompleteChatResponse> {
      const fold = createFold();
      const { call, ...answer } = chatAnswer(context);
      const events = serveChat(call, {
        ...answer,
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

    streamChat(request, context) {
      const { call, ...answer } = chatAnswer(context);
      return serveChat(call, {
        ...answer,
        schema: StreamChatRequestSchema,
        message: () => request,
        streamed: true,
        keepProviderDeltas: request.options?.keepProviderDeltas ?? false,
      });
    },

    planChat: (request, context) => answerCall(context, (call) => describePlan(call, request)),
  };
}

/** Returns the options that CompleteChat and StreamChat share. */
function chatAnswer(context: HandlerContext) {
  const { call, toThrown, beforeAnswer } = enterMethod(context);
  return { call, toThrown, beforeAnswer };
}

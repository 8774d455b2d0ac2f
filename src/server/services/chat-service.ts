import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { selectAccount } from "../../accounts/keys.ts";
import type { Call } from "../../calls/call.ts";
import { describePlan } from "../../calls/describe-plan.ts";
import { serveChat } from "../../calls/serve-chat.ts";
import { createFold } from "../../chat/stream/fold.ts";
import { annotationViolations } from "../../chat/validation/annotations.ts";
import {
  type ChatService,
  CompleteChatRequestSchema,
  type CompleteChatResponse,
  PlanChatRequestSchema,
  StreamChatRequestSchema,
} from "../../gen/dragoman/v1/chat_service_pb.js";
import { toConnectError } from "./error-details.ts";
import { callerOf, type Gateway, lookup } from "./gateway.ts";

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

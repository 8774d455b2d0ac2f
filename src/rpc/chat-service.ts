import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { selectAccount } from "../accounts/keys.ts";
import { coalesce } from "../chat/coalesce.ts";
import { createFold } from "../chat/fold.ts";
import { estimateUsage } from "../chat/usage.ts";
import { annotationViolations } from "../chat/validate.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import {
  type ChatService,
  CompleteChatRequestSchema,
  type CompleteChatResponse,
  PlanChatRequestSchema,
  PlanChatResponseSchema,
  StreamChatRequestSchema,
  type StreamChatResponse,
} from "../gen/dragoman/v1/chat_service_pb.js";
import type { StreamOptions } from "../gen/dragoman/v1/stream_pb.js";
import { UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import type { Call } from "./call.ts";
import { converse } from "./conversation.ts";
import { toConnectError, toGatewayError } from "./error-details.ts";
import { callerOf, type Gateway, lookup } from "./gateway.ts";
import { type Plan, planChat, validateChat } from "./plan.ts";

/** ChatService, the same for both listeners. */
export function createChatService(gateway: Gateway): ServiceImpl<typeof ChatService> {
  // The rules are compiled at the first use, which takes about 150 ms: not the first caller's.
  for (const schema of [CompleteChatRequestSchema, StreamChatRequestSchema, PlanChatRequestSchema]) {
    annotationViolations(schema, create(schema));
  }
  return {
    async completeChat(request, context): Promise<CompleteChatResponse> {
      const fold = createFold();
      for await (const { event } of answer(gateway, CompleteChatRequestSchema, request, context, "CompleteChat")) {
        if (event.case !== undefined) fold.add(event);
      }
      return { $typeName: "dragoman.v1.CompleteChatResponse", completion: fold.completion };
    },

    streamChat: (request, context) => answer(gateway, StreamChatRequestSchema, request, context, "StreamChat"),

    planChat: lookup((request) => {
      const chat = validateChat(PlanChatRequestSchema, request);
      const { model, adapter, warnings, effectiveParameters, request: prepared } = plan(gateway, chat);
      const body = adapter.describe(prepared, model);
      const { maxOutputTokens = model.maxOutputTokens, n = 1 } = effectiveParameters;
      return create(PlanChatResponseSchema, {
        model: model.id,
        provider: model.provider,
        profile: model.profile,
        effectiveParameters,
        warnings: [...warnings],
        messages: prepared.messages,
        inputTokens: estimateUsage(prepared, 0, UsageQuality.ESTIMATED).inputTokens,
        inputTokensQuality: UsageQuality.ESTIMATED,
        providerRequestJson: body === undefined ? "" : JSON.stringify(body),
        outputTokensLimit: maxOutputTokens * n,
      });
    }),
  };
}

function plan(gateway: Gateway, chat: ChatRequest): Plan {
  return planChat(chat, gateway.catalogue, gateway.adapters);
}

/**
 * The whole path of a call, from the gate to its record. One generator and not several, one in another: each costs as
 * much for a delta as all the rest of this.
 */
async function* answer<Desc extends DescMessage>(
  gateway: Gateway,
  schema: Desc,
  request: MessageShape<Desc> & { chat?: ChatRequest | undefined; options?: StreamOptions | undefined },
  context: HandlerContext,
  method: "CompleteChat" | "StreamChat",
): AsyncGenerator<StreamChatResponse> {
  const call = gateway.calls.begin(context, method);
  context.responseHeader.set("x-request-id", call.requestId);
  try {
    const conversation = converse(admit(gateway, schema, request, context, call), call, method === "CompleteChat");
    for await (const arrived of conversation.events) {
      const batch = conversation.complete(arrived);
      for (const event of request.options?.keepProviderDeltas ? batch : coalesce(batch)) {
        yield { $typeName: "dragoman.v1.StreamChatResponse", event };
      }
    }
    call.settle();
  } catch (thrown) {
    const error = toGatewayError(call.signal.aborted ? call.signal.reason : thrown);
    call.settle(error);
    throw toConnectError(error, call.requestId);
  } finally {
    // Reached without an end when the listener stopped pulling: the caller is gone.
    call.abandon();
  }
}

/** Validates a call and plans it. Fills in the call's facts as they become known. */
function admit<Desc extends DescMessage>(
  gateway: Gateway,
  schema: Desc,
  request: MessageShape<Desc> & { chat?: ChatRequest | undefined },
  context: HandlerContext,
  call: Call,
): Plan {
  const caller = callerOf(context);
  call.facts.keyId = caller.keyId;
  const chat = validateChat(schema, request);
  call.facts.user = chat.user;
  call.facts.model = chat.model;
  const selected = context.requestHeader.get("x-selected-account-id") ?? "";
  call.facts.accountId = selectAccount(caller, selected, chat.accountId);
  const planned = plan(gateway, chat);
  call.facts.model = planned.model.id;
  call.facts.provider = planned.model.provider;
  return planned;
}

import { create } from "@bufbuild/protobuf";
import { admitCall } from "../../calls/admit-call.ts";
import type { Call } from "../../calls/call.ts";
import { countTokens } from "../../calls/count-tokens.ts";
import { toGatewayError } from "../../errors.ts";
import { PlanChatRequestSchema } from "../../gen/dragoman/v1/chat_service_pb.js";
import { beginCall } from "../kit/begin-call.ts";
import { discardRest } from "../kit/body.ts";
import { inNamesOf } from "../kit/error-message.ts";
import { receiveBody } from "../kit/receive-body.ts";
import type { Route, RouteContext } from "../kit/route.ts";
import { sendError, sendJson } from "../kit/send.ts";
import { requestOf } from "../kit/serve-surface.ts";
import type { Translated } from "../kit/surface.ts";
import { messagesSurface, translateCounted } from "./chat.ts";
import { requestIdHeader, toMessagesError } from "./errors.ts";

const name = "messages-count-tokens";

/** Counts the tokens of a prompt. https://platform.claude.com/docs/en/api/messages-count-tokens */
export const countTokensRoute: Route = {
  name,
  method: "POST",
  path: "/v1/messages/count_tokens",
  async handle(context) {
    const { request, maxRequestBytes } = context;
    const call = beginCall(context, { name, mayCost: false, stream: false }, toMessagesError, requestIdHeader);
    if (call !== undefined) await serveCount(call, context);
    if (!request.complete) discardRest(request, maxRequestBytes);
  },
};

async function serveCount(call: Call, { request, response, parameters, maxRequestBytes }: RouteContext): Promise<void> {
  let translated: Pick<Translated, "chat" | "extras" | "nameField"> | undefined;
  try {
    await admitCall(call);
    const body = await receiveBody(call, request, maxRequestBytes);
    const { catalog, rejectsOptions = false } = call.snapshot;
    const { requestHeader: headers } = call.source;
    translated = translateCounted(body, { parameters, headers, catalog, rejectsOptions });
    const { chat } = translated;
    const { tokens } = await countTokens(call, {
      ...requestOf(messagesSurface, translated),
      schema: PlanChatRequestSchema,
      message: () => create(PlanChatRequestSchema, { chat }),
      streamed: false,
    });
    call.signal.throwIfAborted();
    sendJson(response, 200, { input_tokens: tokens });
    call.settle();
  } catch (thrown) {
    const error = toGatewayError(call.signal.aborted ? call.signal.reason : thrown);
    call.settle(error);
    sendError(response, error, toMessagesError(inNamesOf(translated?.nameField, error), call.requestId));
  }
}

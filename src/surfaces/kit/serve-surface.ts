import type { ServerResponse } from "node:http";
import { create } from "@bufbuild/protobuf";
import { admitCall } from "../../calls/admit-call.ts";
import { answerHeaders, routingHeaders, targetHeader } from "../../calls/answer-headers.ts";
import type { Call } from "../../calls/call.ts";
import type { CallRequest } from "../../calls/plan-call.ts";
import { serveChat } from "../../calls/serve-chat.ts";
import { type GatewayError, toGatewayError } from "../../errors.ts";
import { formatDotted } from "../../field-path.ts";
import { CompleteChatRequestSchema, type StreamChatResponse } from "../../gen/dragoman/v1/chat_service_pb.js";
import { beginCall } from "./begin-call.ts";
import { discardRest } from "./body.ts";
import { inNamesOf } from "./error-message.ts";
import { createLeftOut } from "./left-out.ts";
import { readRequest } from "./read-request.ts";
import type { Route, RouteContext } from "./route.ts";
import { createStreamSink, createWholeSink, type Sink, sendError } from "./send.ts";
import { formatEvent } from "./server-sent-event.ts";
import type { ChatSurface, Translated } from "./surface.ts";

/** Makes the route of a chat API. */
export function chatRoute(surface: ChatSurface): Route {
  const { name, path } = surface;
  return { name, method: "POST", path, handle: (context) => serveSurface(surface, context) };
}

/** Serves one request: admits the call, translates the body, runs the call and sends the response. Never throws. */
async function serveSurface(surface: ChatSurface, context: RouteContext): Promise<void> {
  const { request, maxRequestBytes } = context;
  const { name, toError, requestIdHeader } = surface;
  const call = beginCall(context, { name, mayCost: true }, toError, requestIdHeader);
  if (call !== undefined) await serveCall(call, surface, context);
  if (!request.complete) discardRest(request, maxRequestBytes);
}

async function serveCall(call: Call, surface: ChatSurface, context: RouteContext): Promise<void> {
  const { response, streamHeadersAfterMs } = context;
  let translated: Translated | undefined;
  try {
    await admitCall(call);
    const { value, request } = await readRequest(call, context);
    translated = surface.translate(value, request);
    const { endsWithDone, ping } = surface;
    const sink = translated.streamed
      ? createStreamSink(response, translated, { endsWithDone, ping, headersAfterMs: streamHeadersAfterMs }, call)
      : createWholeSink(response, translated);
    await serveTranslated(surface, translated, sink, call, response);
  } catch (thrown) {
    const error = toGatewayError(call.signal.aborted ? call.signal.reason : thrown);
    call.settle(error);
    await call.recorded;
    try {
      sendFailure(surface, translated, error, call, response);
    } catch {
      response.destroy();
    }
  }
}

async function serveTranslated(
  surface: ChatSurface,
  translated: Translated,
  sink: Sink,
  call: Call,
  response: ServerResponse,
): Promise<void> {
  const events = serveChat(call, {
    ...callRequest(surface, translated),
    keepProviderDeltas: false,
    beforeAnswer: () => setAnswerHeaders(response, call),
    toThrown: (error) => error,
  });
  try {
    await feed(events, sink, surface);
    // A response that is sent as a whole has the attempts as they ended.
    setAnswerHeaders(response, call);
    sink.end();
  } finally {
    sink.stop();
  }
}

/** Returns the request of a call in the words of an API. */
export function callRequest(
  { profile, memoryStrategy }: Pick<ChatSurface, "profile" | "memoryStrategy">,
  { chat, extras, streamed, nameField }: Pick<Translated, "chat" | "extras" | "streamed" | "nameField">,
): CallRequest<typeof CompleteChatRequestSchema> {
  return {
    schema: CompleteChatRequestSchema,
    message: () => create(CompleteChatRequestSchema, { chat }),
    streamed,
    ...(profile && { profile }),
    translatesOptions: true,
    extras,
    words: {
      isOwn: false,
      nameField: (path) => formatDotted(nameField(path)),
      memoryStrategy,
      unstreamed: "set stream to false",
    },
  };
}

/** Passes the events of a call to a sink. If the sink throws, the call fails with that error. */
async function feed(events: AsyncGenerator<StreamChatResponse>, sink: Sink, surface: ChatSurface): Promise<void> {
  const withLeftOut = createLeftOut(surface);
  for (let next = await events.next(); !next.done; next = await events.next()) {
    const { event } = next.value;
    if (event.case === undefined) continue;
    try {
      const ready = sink.take(withLeftOut(event));
      if (ready !== undefined) await ready;
    } catch (error) {
      await events.throw(error);
    }
  }
}

/** Sets the headers about a call, unless the response has begun. */
export function setAnswerHeaders(response: ServerResponse, call: Call): void {
  if (response.headersSent) return;
  for (const [name, value] of [...answerHeaders(call), ...routingHeaders(call)]) response.setHeader(name, value);
}

function sendFailure(
  surface: ChatSurface,
  translated: Translated | undefined,
  error: GatewayError,
  call: Call,
  response: ServerResponse,
): void {
  const named = inNamesOf(translated?.nameField, error);
  if (response.headersSent) {
    const events = translated?.toLastEvents?.(named, call.requestId) ?? [surface.toStreamError(named, call.requestId)];
    response.end(events.map(formatEvent).join(""));
    return;
  }
  response.removeHeader(targetHeader);
  for (const [name, value] of routingHeaders(call, true)) response.setHeader(name, value);
  sendError(response, error, surface.toError(named, call.requestId));
}

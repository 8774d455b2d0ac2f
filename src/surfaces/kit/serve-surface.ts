import type { ServerResponse } from "node:http";
import { create } from "@bufbuild/protobuf";
import { abortable } from "../../abortable.ts";
import { admitCall } from "../../calls/admit-call.ts";
import { answerHeaders, routingHeaders, targetHeader } from "../../calls/answer-headers.ts";
import type { Call } from "../../calls/call.ts";
import { serveChat } from "../../calls/serve-chat.ts";
import { type FieldViolation, type GatewayError, invalidRequest, toGatewayError } from "../../errors.ts";
import { formatDotted } from "../../field-path.ts";
import { CompleteChatRequestSchema, type StreamChatResponse } from "../../gen/dragoman/v1/chat_service_pb.js";
import { Pace } from "../../pace.ts";
import { beginCall } from "./begin-call.ts";
import { discardRest, parseBody, readBody } from "./body.ts";
import { createLeftOut } from "./left-out.ts";
import { requireJson } from "./require-json.ts";
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
  const call = beginCall(context, { name: surface.name, mayCost: true }, surface.toError);
  if (call !== undefined) await serveCall(call, surface, context);
  if (!request.complete) discardRest(request, maxRequestBytes);
}

async function serveCall(call: Call, surface: ChatSurface, context: RouteContext): Promise<void> {
  const { parameters, request, response, maxRequestBytes, streamHeadersAfterMs } = context;
  let translated: Translated | undefined;
  try {
    await admitCall(call);
    const { requestHeader: headers } = call.source;
    requireJson(call.source);
    const body = await abortable(
      readBody(request, maxRequestBytes, (bytes) => call.holdRequest(bytes)),
      call.signal,
    );
    call.requestComplete();
    const { catalog, rejectsOptions = false } = call.snapshot;
    const pace = new Pace();
    const parsed = parseBody(body, call.maxValues);
    if (pace.isLong) await pace.nextTurn();
    call.signal.throwIfAborted();
    translated = surface.translate(parsed, { parameters, headers, catalog, rejectsOptions });
    const { endsWithDone } = surface;
    const sink = translated.streamed
      ? createStreamSink(response, translated, { endsWithDone, headersAfterMs: streamHeadersAfterMs }, call)
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
  { chat, extras, streamed, nameField }: Translated,
  sink: Sink,
  call: Call,
  response: ServerResponse,
): Promise<void> {
  const events = serveChat(call, {
    schema: CompleteChatRequestSchema,
    message: () => create(CompleteChatRequestSchema, { chat }),
    streamed,
    keepProviderDeltas: false,
    ...(surface.profile && { profile: surface.profile }),
    translatesOptions: true,
    extras,
    words: {
      isOwn: false,
      nameField: (path) => formatDotted(nameField(path)),
      memoryStrategy: surface.memoryStrategy,
      unstreamed: "set stream to false",
    },
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

function setAnswerHeaders(response: ServerResponse, call: Call): void {
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
  const named = inNamesOf(translated, error);
  if (response.headersSent) {
    response.end(formatEvent(surface.toStreamError(named, call.requestId)));
    return;
  }
  response.removeHeader(targetHeader);
  for (const [name, value] of routingHeaders(call, true)) response.setHeader(name, value);
  sendError(response, error, surface.toError(named, call.requestId));
}

function inNamesOf(translated: Translated | undefined, error: GatewayError): GatewayError {
  const { reason, message, facts } = error;
  const nameField = translated?.nameField;
  if (nameField === undefined || facts.fields === undefined) return error;
  const fields = facts.fields.map(
    (violation): FieldViolation =>
      violation.root === undefined ? { ...violation, root: "body", field: nameField(violation.field) } : violation,
  );
  const text = reason === "INVALID_REQUEST" ? invalidRequest(fields).message : message;
  return error.with({ fields }, text);
}

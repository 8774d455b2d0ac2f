import type { IncomingMessage, ServerResponse } from "node:http";
import { create } from "@bufbuild/protobuf";
import type { Caller } from "../../accounts/keys.ts";
import type { Call, CallSource } from "../../calls/call.ts";
import { serveChat } from "../../calls/serve-chat.ts";
import { GatewayError, invalidRequest } from "../../errors.ts";
import { CompleteChatRequestSchema, type StreamChatResponse } from "../../gen/dragoman/v1/chat_service_pb.js";
import { toGatewayError } from "../../server/services/error-details.ts";
import type { Gateway } from "../../server/services/gateway.ts";
import { discardRest, parseBody, readBody } from "./body.ts";
import { httpHeadersOf } from "./http-status.ts";
import type { Route, RouteContext } from "./route.ts";
import { createStreamSink, createWholeSink, type Sink, sendJson } from "./send.ts";
import { formatEvent } from "./server-sent-event.ts";
import type { ChatSurface, SurfaceRequest, Translated } from "./surface.ts";

/** One request to a chat surface, and its response. Undefined fields are not known yet. */
interface ServedRequest {
  readonly gateway: Gateway;
  readonly surface: ChatSurface;
  readonly source: CallSource;
  readonly response: ServerResponse;
  caller?: Caller;
  translated?: Translated;
  call?: Call;
}

/** Makes the route of a chat surface. */
export function chatRoute(surface: ChatSurface): Route {
  return { method: "POST", path: surface.path, handle: (context) => serveSurface(surface, context) };
}

/** Answers one request of a surface: authenticates, translates, serves, and translates back. Never throws. */
async function serveSurface(
  surface: ChatSurface,
  { gateway, parameters, request, response, maxRequestBytes }: RouteContext,
): Promise<void> {
  const source = sourceOf(request, response);
  const served: ServedRequest = { gateway, surface, source, response };
  try {
    const caller = gateway.authenticate(source.requestHeader);
    served.caller = caller;
    requireJson(source);
    const body = await readBody(request, maxRequestBytes);
    const { catalog } = gateway;
    await answer(served, caller, body, { parameters, headers: source.requestHeader, catalog });
  } catch (thrown) {
    try {
      refuse(served, toGatewayError(thrown));
    } catch {
      response.destroy();
    }
  }
  if (!request.complete) discardRest(request, maxRequestBytes);
}

/**
 * Web pages may have a browser send anything else to this machine, unasked, where calls need no key: a type other than
 * these takes a permission that is not given here (Fetch standard, CORS-safelisted request headers).
 */
function requireJson({ requestHeader }: CallSource): void {
  const type = requestHeader.get("content-type")?.split(";", 1)[0]?.trim() ?? "";
  if (/^application\/([\w.-]+\+)?json$/i.test(type)) return;
  throw new GatewayError("UNSUPPORTED_ENCODING", "the body must be JSON; send content-type: application/json");
}

async function answer(served: ServedRequest, caller: Caller, body: string, input: SurfaceRequest): Promise<void> {
  const { gateway, surface, source } = served;
  // Whether the answer is a stream is known only from the body; what is wrong with the body is an error of the call.
  const reading = attempt(() => surface.translate(parseBody(body), input));
  if ("value" in reading) served.translated = reading.value;
  const events = serveChat(gateway, {
    source,
    caller,
    method: surface.name,
    schema: CompleteChatRequestSchema,
    message() {
      if ("error" in reading) throw reading.error;
      return create(CompleteChatRequestSchema, { chat: reading.value.chat });
    },
    streamed: served.translated?.streamed ?? false,
    keepProviderDeltas: false,
    profile: surface.profile,
    onBegin(call) {
      served.call = call;
      served.response.setHeader("x-request-id", call.requestId);
    },
    toThrown: (error) => error,
  });
  await feed(events, createSink(served), () => setLimits(served));
}

function attempt<Value>(make: () => Value): { readonly value: Value } | { readonly error: unknown } {
  try {
    return { value: make() };
  } catch (error) {
    return { error };
  }
}

function createSink(served: ServedRequest): Sink {
  const { surface, response, translated } = served;
  // A call without a request to serve fails before its first event.
  if (translated === undefined) return { take: () => undefined, end: () => undefined };
  if (!translated.streamed) return createWholeSink(response, translated);
  return createStreamSink(response, translated, surface.endsWithDone, () => {
    if (served.call === undefined) throw new Error("an event came before its call began");
    return served.call;
  });
}

/** Gives every event of a call to a sink. What the sink throws is a failure of the call, and recorded as one. */
async function feed(events: AsyncGenerator<StreamChatResponse>, sink: Sink, onStarted: () => void): Promise<void> {
  for (let next = await events.next(); !next.done; next = await events.next()) {
    const { event } = next.value;
    if (event.case === undefined) continue;
    if (event.case === "started") onStarted();
    try {
      const ready = sink.take(event);
      if (ready !== undefined) await ready;
    } catch (error) {
      await events.throw(error);
    }
  }
  sink.end();
}

function refuse(served: ServedRequest, error: GatewayError): void {
  const { gateway, surface, source, response, caller } = served;
  const { requestId } = served.call ?? gateway.calls.refuse(source, surface.name, error, caller?.keyId);
  if (response.destroyed) return;
  const named = inNamesOf(served.translated, error);
  if (response.headersSent) {
    response.end(formatEvent(surface.toStreamError(named, requestId)));
    return;
  }
  setLimits(served);
  const { status, headers, body } = surface.toError(named, requestId);
  const all = { ...httpHeadersOf(error), "x-request-id": requestId, ...headers };
  for (const [name, value] of Object.entries(all)) response.setHeader(name, value);
  sendJson(response, status, body);
}

/** Passes on what the provider says of its rate limits, by the names that OpenAI and Cerebras have for it. */
function setLimits({ call, response }: ServedRequest): void {
  for (const [name, value] of Object.entries(call?.facts.attempts.at(-1)?.providerLimits ?? {})) {
    if (name.startsWith("x-ratelimit-")) response.setHeader(name, value);
  }
}

function inNamesOf(translated: Translated | undefined, error: GatewayError): GatewayError {
  const { reason, message, facts } = error;
  const nameField = translated?.nameField;
  if (nameField === undefined || facts.fields === undefined) return error;
  const fields = facts.fields.map((violation) => ({ ...violation, field: nameField(violation.field) }));
  const text = reason === "INVALID_REQUEST" ? invalidRequest(fields).message : message;
  return error.with({ fields }, text);
}

/** A plain HTTP request as the source of a call: it has no deadline of its own, and its signal is the client's. */
export function sourceOf(request: IncomingMessage, response: ServerResponse): CallSource {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort(new GatewayError("CANCELLED", "the caller went away"));
  });
  return {
    requestHeader: {
      get(name) {
        const value = request.headers[name.toLowerCase()];
        return (Array.isArray(value) ? value.join(", ") : value) ?? null;
      },
    },
    signal: gone.signal,
    protocolName: "http",
    timeoutMs: () => undefined,
  };
}

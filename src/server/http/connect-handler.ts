import {
  Code,
  ConnectError,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { admitCall } from "../../calls/admit-call.ts";
import { excessOf, mostValues } from "../../chat/validation/json-bounds.ts";
import type { Config } from "../../config/config.ts";
import { type GatewayError, toGatewayError } from "../../errors.ts";
import { ChatService } from "../../gen/dragoman/v1/chat_service_pb.js";
import { ModelService } from "../../gen/dragoman/v1/model_service_pb.js";
import type { Services } from "../listener.ts";
import { type AdmittedCall, setAdmittedCall } from "../services/admitted-call.ts";
import { libraryError, methodNotFound } from "../services/library-errors.ts";
import { statusOf } from "../services/status.ts";

type Handler = ReturnType<typeof createConnectRouter>["handlers"][number];
type Request = Parameters<Handler>[0];
type Response = Awaited<ReturnType<Handler>>;

/** A call that Connect is reading the request of. */
interface Entry extends AdmittedCall {
  readonly context: HandlerContext;
}

const clientSignal = createContextKey<AbortSignal>(AbortSignal.abort(), {
  description: "aborts when the client is gone",
});
const entryKey = createContextKey<Entry | undefined>(undefined, { description: "the call before its method" });
const rejection = createContextKey<ConnectError | undefined>(undefined, {
  description: "what a call is rejected with",
});

/**
 * Makes the handler for calls of Connect and gRPC-Web; it returns undefined for a request that is none. What Connect
 * rejects by itself, such as a body that cannot be read, has neither details nor a record: such a call is rejected once
 * more, with both.
 */
export function createConnectHandler(
  config: Config,
  services: Services,
): (path: string, request: Request, client: AbortSignal) => Promise<Response> | undefined {
  const handlers = createHandlers(config, services, (context) => beginCall(services, context));
  // This access control runs before anything else, so these answer every call with its error, in the call's own protocol.
  const rejecters = createHandlers(config, services, (context) => {
    throw context.values.get(rejection);
  });

  function reject(rejecter: Handler, request: Request, error: ConnectError): Promise<Response> {
    return rejecter({ ...request, body: noBody(), contextValues: createContextValues().set(rejection, error) });
  }

  async function handle(handler: Handler, rejecter: Handler, request: Request, client: AbortSignal): Promise<Response> {
    const values = createContextValues().set(clientSignal, client);
    const response = await handler({ ...request, contextValues: values });
    const entry = values.get(entryKey);
    if (entry === undefined || entry.reached) return response;
    // To its end, which is at once: so that nothing of it stays suspended.
    for await (const _ of response.body ?? []);
    const { call, context } = entry;
    const error = call.signal.aborted ? toGatewayError(call.signal.reason) : errorOf(context.signal.reason);
    call.settle(error);
    return reject(rejecter, request, toConnectError(error, call.requestId));
  }

  async function rejectUnknown(rejecter: Handler, path: string, request: Request): Promise<Response> {
    const response = await reject(rejecter, request, toConnectError(methodNotFound(path), ""));
    // Connect's own status is 501, "not implemented"; its clients take what is in the body.
    return response.status >= 400 ? { ...response, status: 404 } : response;
  }

  return (path, request, client) => {
    const [handler, rejecter] = [handlers.get(path), rejecters.get(path)];
    if (handler !== undefined && rejecter !== undefined) return handle(handler, rejecter, request, client);
    if (request.method !== "POST") return undefined;
    const contentType = request.header.get("content-type") ?? "";
    const speaking = [...rejecters.values()].find(({ supportedContentType }) => supportedContentType(contentType));
    return speaking && rejectUnknown(speaking, path, request);
  };
}

/** Begins a call and admits it on its headers, before Connect reads its body. */
function beginCall({ calls }: Services, context: HandlerContext): undefined | Promise<void> {
  const { requestHeader, protocolName, method, timeoutMs, values } = context;
  // Not Connect's own signal, which also aborts when Connect ends a call by itself.
  const signal = values.get(clientSignal);
  const call = calls.begin({ requestHeader, protocolName, timeoutMs, signal }, method.name);
  context.responseHeader.set("x-request-id", call.requestId);
  const toThrown = (error: GatewayError) => toConnectError(error, call.requestId);
  try {
    const decision = admitCall(call);
    const enter = (): void => {
      const entry: Entry = { call, context, toThrown, reached: false };
      values.set(entryKey, entry);
      setAdmittedCall(context, entry);
      // Once the method runs, Connect ends it only when its client is gone: it sees a failed write first.
      context.signal.addEventListener("abort", () => entry.reached && call.clientGone());
    };
    if (decision === undefined) enter();
    else return decision.then(enter, (error) => Promise.reject(toThrown(toGatewayError(error))));
  } catch (error) {
    throw toThrown(toGatewayError(error));
  }
  return undefined;
}

const utf8 = new TextDecoder();

const jsonOptions = {
  // A misspelt field must not vanish.
  ignoreUnknownFields: false,
  // Reads JSON as Connect 2.2 does by itself, unless it has more in it than a body of the surfaces may have. The types
  // do not know of this property; a test holds that Connect does.
  textDecoder: {
    decode(bytes: Uint8Array): string {
      const text = utf8.decode(bytes);
      if (excessOf(text) !== "values") return text;
      throw new ConnectError(`the request has more than ${mostValues} values`, Code.ResourceExhausted);
    },
  },
};

/** Handlers by their path. */
function createHandlers(
  config: Config,
  { chat, models }: Services,
  requestGate: (context: HandlerContext) => undefined | Promise<void>,
): ReadonlyMap<string, Handler> {
  const router = createConnectRouter({
    grpc: false,
    requestGate,
    readMaxBytes: config.limits.maxRequestBytes,
    acceptCompression: [compressionGzip, compressionBrotli],
    jsonOptions,
  });
  router.service(ChatService, chat);
  router.service(ModelService, models);
  return new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
}

/** What Connect ended a call with: it aborts the signal of its context with it. */
function errorOf(reason: unknown): GatewayError {
  return reason instanceof ConnectError ? libraryError(reason.code, reason.rawMessage) : toGatewayError(reason);
}

function toConnectError(error: GatewayError, requestId: string): ConnectError {
  const { code, message, details } = statusOf(error, requestId);
  return new ConnectError(message, code, undefined, [...details], error);
}

async function* noBody(): AsyncGenerator<Uint8Array> {}

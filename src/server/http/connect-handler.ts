import type { DescService } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type ServiceImpl,
} from "@connectrpc/connect";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { excessOf, mostValues } from "../../chat/validation/json-bounds.ts";
import type { Config } from "../../config/config.ts";
import type { GatewayError } from "../../errors.ts";
import { ChatService } from "../../gen/dragoman/v1/chat_service_pb.js";
import { ModelService } from "../../gen/dragoman/v1/model_service_pb.js";
import type { Services } from "../listener.ts";
import { toConnectError, toGatewayError } from "../services/error-details.ts";
import { methodNotFound, refusalOf } from "../services/library-errors.ts";

type Handler = ReturnType<typeof createConnectRouter>["handlers"][number];
type Request = Parameters<Handler>[0];
type Response = Awaited<ReturnType<Handler>>;

/** Set while a call has passed the gate and not reached its method. */
const waiting = createContextKey<HandlerContext | undefined>(undefined, { description: "a call before its method" });

const refusal = createContextKey<ConnectError | undefined>(undefined, { description: "what a call is refused with" });

/**
 * Makes the function that answers calls of Connect and gRPC-Web; undefined for a request that is none. What Connect
 * refuses by itself, such as a body that cannot be read, has neither details nor a record: such a call is refused once
 * more, with both.
 */
export function createCallAnswerer(
  config: Config,
  services: Services,
): (path: string, request: Request) => Promise<Response> | undefined {
  const handlers = createHandlers(config, services, (context) => {
    services.gate(context);
    context.values.set(waiting, context);
  });
  // The gate runs before anything else, so these answer every call with its refusal, in the call's own protocol.
  const refusers = createHandlers(config, services, (context) => {
    throw context.values.get(refusal);
  });

  function refuse(refuser: Handler, request: Request, error: ConnectError): Promise<Response> {
    return refuser({ ...request, body: noBody(), contextValues: createContextValues().set(refusal, error) });
  }

  async function answer(handler: Handler, refuser: Handler, request: Request): Promise<Response> {
    const values = createContextValues();
    const response = await handler({ ...request, contextValues: values });
    const context = values.get(waiting);
    if (context === undefined) return response;
    // To its end, which is at once: so that nothing of it stays suspended.
    for await (const _ of response.body ?? []);
    return refuse(refuser, request, services.refuse(context, errorOf(context.signal.reason)));
  }

  async function answerUnknown(refuser: Handler, path: string, request: Request): Promise<Response> {
    const response = await refuse(refuser, request, toConnectError(methodNotFound(path), ""));
    // Connect's own status is 501, «not implemented»; its clients take what is in the body.
    return response.status >= 400 ? { ...response, status: 404 } : response;
  }

  return (path, request) => {
    const [handler, refuser] = [handlers.get(path), refusers.get(path)];
    if (handler !== undefined && refuser !== undefined) return answer(handler, refuser, request);
    if (request.method !== "POST") return undefined;
    const contentType = request.header.get("content-type") ?? "";
    const speaking = [...refusers.values()].find(({ supportedContentType }) => supportedContentType(contentType));
    return speaking && answerUnknown(speaking, path, request);
  };
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
  gate: Services["gate"],
): ReadonlyMap<string, Handler> {
  const router = createConnectRouter({
    grpc: false,
    requestGate: gate,
    readMaxBytes: config.limits.maxRequestBytes,
    acceptCompression: [compressionGzip, compressionBrotli],
    jsonOptions,
  });
  router.service(ChatService, handOver(chat));
  router.service(ModelService, handOver(models));
  return new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
}

/** The same implementation, whose methods tell that their call no longer waits for them. */
function handOver<Service extends DescService>(implementation: ServiceImpl<Service>): ServiceImpl<Service> {
  const methods = Object.entries<(request: never, context: HandlerContext) => unknown>(implementation);
  const telling = methods.map(([name, method]) => [
    name,
    (request: never, context: HandlerContext) => {
      context.values.delete(waiting);
      return method(request, context);
    },
  ]);
  // The names and types of the methods are those of the implementation.
  return Object.fromEntries(telling) as ServiceImpl<Service>;
}

/** What Connect ended a call with: it aborts the call's signal with it. */
function errorOf(reason: unknown): GatewayError {
  return reason instanceof ConnectError ? refusalOf(reason.code, reason.rawMessage) : toGatewayError(reason);
}

async function* noBody(): AsyncGenerator<Uint8Array> {}

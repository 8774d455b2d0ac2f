import type {
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Stream,
  ServerStreamResponseOptions,
} from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";
import { createHandlerContext, type HandlerContext } from "@connectrpc/connect";
import { GatewayError } from "../../errors.ts";
import type { Services } from "../listener.ts";
import { toConnectError } from "../services/error-details.ts";
import { clientGone, methodNotFound, refusalOf } from "../services/library-errors.ts";
import { toGrpcStatus } from "./status.ts";

const received = Symbol("the headers of the call");
const begun = Symbol("the context of the call, once its method has begun");

/** A stream of HTTP/2 with what is known of its call: two fields cost less than a map beside it. */
interface CallStream extends ServerHttp2Stream {
  [received]?: IncomingHttpHeaders;
  [begun]?: HandlerContext;
}

/** Tells that a call has reached its method, which from now on answers it and writes its record. */
export function beginMethod(call: object, context: HandlerContext): void {
  // Private fields of grpc-js 1.14; a test holds that they are there. Nothing public leads from a handler to its stream.
  const { stream } = (call as { readonly call: { readonly stream: CallStream } }).call;
  stream[begun] = context;
}

/**
 * Watches the streams of a grpc-js server for calls that grpc-js ends by itself: too large, not to be decoded, unknown,
 * past the deadline. It knows nothing of details and records, so both are added here, where every answer passes. An
 * interceptor would not see unknown methods, and would cost each message.
 */
export function watchRefusals(
  services: Pick<Services, "gate" | "refuse">,
  methods: readonly DescMethod[],
): (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void {
  const byPath = new Map(methods.map((method) => [`/${method.parent.typeName}/${method.name}`, method]));

  /** Passes a call that did not reach its method through the gate, as if it had, and records its end. */
  function refuse(method: DescMethod, headers: IncomingHttpHeaders, error: GatewayError): unknown {
    const context = createRefusedContext(method, headers);
    try {
      services.gate(context);
    } catch (refused) {
      return refused;
    }
    return services.refuse(context, error);
  }

  function errorOf(stream: CallStream, code: number, text: string): unknown {
    const context = stream[begun];
    if (context !== undefined) {
      const timedOut = refusalOf(code, "the deadline of the call passed before the answer was complete");
      const error =
        timedOut.reason === "DEADLINE_EXCEEDED" ? timedOut : new GatewayError("INTERNAL", "an internal error occurred");
      return toConnectError(error, context.responseHeader.get("x-request-id") ?? "");
    }
    const headers = stream[received] ?? {};
    const path = headers[":path"] ?? "";
    const method = byPath.get(path);
    const refusal = refusalOf(code, text);
    if (method !== undefined) return refuse(method, headers, refusal);
    return refusal.status === "UNIMPLEMENTED" ? methodNotFound(path) : refusal;
  }

  /** The fields that end a call, with the details of its error. */
  function describe(stream: CallStream, fields: OutgoingHttpHeaders): OutgoingHttpHeaders {
    const code = Number(fields["grpc-status"] ?? 0);
    if (code === 0 || fields["grpc-status-details-bin"] !== undefined) return fields;
    const text = String(fields["grpc-message"] ?? "");
    const status = toGrpcStatus(errorOf(stream, code, text));
    return {
      ...fields,
      "grpc-status": status.code,
      "grpc-message": encodeURI(status.details),
      ...status.metadata.toHttp2Headers(),
    };
  }

  function respond(this: CallStream, fields?: OutgoingHttpHeaders, options?: ServerStreamResponseOptions): void {
    prototypeOf(this).respond.call(this, describe(this, fields ?? {}), options);
  }

  function sendTrailers(this: CallStream, fields: OutgoingHttpHeaders): void {
    prototypeOf(this).sendTrailers.call(this, describe(this, fields));
  }

  function onClose(this: CallStream): void {
    const { [received]: headers = {}, [begun]: context, headersSent } = this;
    const method = byPath.get(headers[":path"] ?? "");
    if (context === undefined && !headersSent && method !== undefined) refuse(method, headers, clientGone());
  }

  return (stream: CallStream, headers) => {
    stream[received] = headers;
    Object.assign(stream, { respond, sendTrailers });
    stream.once("close", onClose);
  };
}

function prototypeOf(stream: ServerHttp2Stream): ServerHttp2Stream {
  return Object.getPrototypeOf(stream);
}

function createRefusedContext(method: DescMethod, headers: IncomingHttpHeaders): HandlerContext {
  const requestHeader = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    name.startsWith(":") || value === undefined ? [] : [[name, String(value)]],
  );
  return createHandlerContext({
    service: method.parent,
    method,
    requestHeader,
    requestMethod: "POST",
    protocolName: "grpc",
    url: `http://localhost${headers[":path"] ?? ""}`,
  });
}

import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";
import {
  type Metadata,
  type ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import type { ActiveCalls } from "../../calls/active-calls.ts";
import { admitCall } from "../../calls/admit-call.ts";
import { answerHeaders } from "../../calls/answer-headers.ts";
import { GatewayError, toGatewayError } from "../../errors.ts";
import type { AdmittedCall } from "../services/admitted-call.ts";
import { timeoutMs } from "../services/grpc-timeout.ts";
import { libraryError, methodNotFound } from "../services/library-errors.ts";
import { sourceOf } from "./source.ts";
import { detailsTrailer, toGrpcStatus } from "./status.ts";

export type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** Access to a grpc-js server: its two parts are put into the server by the listener. */
export interface GrpcAccess {
  /**
   * The listener for streams of HTTP/2 that stands before grpc-js' own. A call is begun and admitted on its headers; only
   * then grpc-js gets the stream. Until then flow control holds the body, so the decision may take its time.
   */
  before(grpcJs: StreamListener): StreamListener;
  /** Gives statuses that grpc-js makes by itself their details, and ends a call in the middle of its request. */
  readonly interceptor: ServerInterceptor;
  /** The admitted call of a method that grpc-js runs. */
  admittedCall(metadata: Metadata): AdmittedCall;
}

/** A status as grpc-js passes it on. */
type SentStatus = Parameters<ServerInterceptingCallInterface["sendStatus"]>[0];

/** A stream whose call has been admitted, on its way through grpc-js. */
interface Entry extends AdmittedCall {
  readonly stream: ServerHttp2Stream;
}

/** `methods` are those of the services; `open` the paths that grpc-js serves besides, without access control. */
export function createGrpcAccess(
  calls: ActiveCalls,
  methods: readonly DescMethod[],
  open: ReadonlySet<string>,
): GrpcAccess {
  const byPath = new Map(methods.map((method) => [`/${method.parent.typeName}/${method.name}`, method]));
  const entries = new WeakMap<Metadata, Entry>();
  // grpc-js makes the call of a stream, and with it the interceptor, before its listener returns.
  let entering: Entry | undefined;

  function enter(method: DescMethod, stream: ServerHttp2Stream, headers: IncomingHttpHeaders, grpcJs: StreamListener) {
    const call = calls.begin(sourceOf(stream, headers), method.name);
    const entry: Entry = { call, stream, toThrown: (error) => error, reached: false };
    const proceed = (): void => {
      if (stream.destroyed) return;
      requireTimeout(headers);
      entering = entry;
      try {
        grpcJs(stream, headers);
      } finally {
        entering = undefined;
      }
    };
    try {
      const decision = admitCall(call);
      if (decision === undefined) proceed();
      else decision.then(proceed).catch((error: unknown) => reject(entry, error));
    } catch (error) {
      reject(entry, error);
    }
  }

  return {
    before: (grpcJs) => (stream, headers) => {
      const { ":path": path = "", "content-type": contentType = "" } = headers;
      // What is not gRPC gets grpc-js' answer to that.
      if (open.has(path) || !contentType.startsWith("application/grpc")) {
        grpcJs(stream, headers);
        return;
      }
      // Before grpc-js listens, a reset would be an uncaught error.
      stream.on("error", () => {});
      const method = byPath.get(path);
      if (method === undefined) sendTrailersOnly(stream, toGrpcStatus(methodNotFound(path), ""));
      else enter(method, stream, headers, grpcJs);
    },

    interceptor(_method, base) {
      const entry = entering;
      const send = base.sendStatus.bind(base);
      // To a client that is gone nothing is sent, and its call ends as cancelled.
      base.sendStatus = (sent) => send(isComplete(sent) || entry?.stream.destroyed ? sent : completed(sent, entry));
      if (entry !== undefined) {
        // Whatever the method is doing, and however far the request has come.
        entry.call.signal.addEventListener("abort", () => send(statusOfCall(entry, entry.call.signal.reason)));
        const start = base.start.bind(base);
        base.start = (listener) =>
          start({
            ...listener,
            onReceiveMetadata(metadata) {
              entries.set(metadata, entry);
              listener.onReceiveMetadata(metadata);
            },
          });
      }
      // The same object, changed: a wrapper would cost each message, and miss what the call ends by itself.
      return base as ServerInterceptingCall;
    },

    admittedCall(metadata) {
      const entry = entries.get(metadata);
      if (entry === undefined) throw new Error("a call reached its method without access control");
      return entry;
    },
  };
}

/** The call has its own deadline, so grpc-js must not see one: it would end the call a second time, without details. */
function requireTimeout(headers: IncomingHttpHeaders): void {
  const { "grpc-timeout": header } = headers;
  if (header === undefined) return;
  delete headers["grpc-timeout"];
  if (timeoutMs(header) === undefined) {
    throw new GatewayError("INVALID_REQUEST", "grpc-timeout is malformed; send up to 8 digits and a unit, such as 30S");
  }
}

/** Whether a status needs nothing more: it is OK, or it has its typed details. */
function isComplete({ code, metadata }: SentStatus): boolean {
  return code === status.OK || (metadata?.get(detailsTrailer).length ?? 0) > 0;
}

/** A status that grpc-js made by itself: the request was too large, could not be read, or the program failed. */
function completed({ code, details }: SentStatus, entry: Entry | undefined): StatusObject {
  const isOurs = entry?.reached ?? false;
  const error = isOurs ? toGatewayError(undefined) : libraryError(code ?? status.UNKNOWN, details ?? "");
  if (entry === undefined) return toGrpcStatus(error, "");
  entry.call.settle(error);
  return statusOfCall(entry, error);
}

function reject(entry: Entry, thrown: unknown): void {
  const error = toGatewayError(thrown);
  entry.call.settle(error);
  sendTrailersOnly(entry.stream, statusOfCall(entry, error));
}

/** The status of a call, with the leading metadata that it would have had where none were sent. */
function statusOfCall({ call, stream }: Entry, thrown: unknown): StatusObject {
  return toGrpcStatus(toGatewayError(thrown), call.requestId, stream.headersSent ? [] : answerHeaders(call));
}

/** Ends a stream that grpc-js has not seen. */
function sendTrailersOnly(stream: ServerHttp2Stream, { code, details, metadata }: StatusObject): void {
  if (stream.destroyed) return;
  const fields = {
    ":status": 200,
    "content-type": "application/grpc+proto",
    "grpc-status": code,
    "grpc-message": encodeURI(details),
    ...metadata.toHttp2Headers(),
  };
  stream.respond(fields, { endStream: true });
  // What the client still sends of its request is discarded.
  stream.resume();
}

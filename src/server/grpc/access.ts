import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import {
  type Metadata,
  type ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import { admitCall } from "../../calls/admit-call.ts";
import { answerHeaders } from "../../calls/answer-headers.ts";
import type { Call } from "../../calls/call.ts";
import { unknownMethod } from "../../calls/call-method.ts";
import { GatewayError, toGatewayError } from "../../errors.ts";
import type { Claimant } from "../../fair-slots.ts";
import type { Services } from "../listener.ts";
import type { AdmittedCall } from "../services/admitted-call.ts";
import { timeoutMs } from "../services/grpc-timeout.ts";
import { libraryError } from "../services/library-errors.ts";
import { roleFor } from "../services/method-rules.ts";
import { type MountedMethod, pathOf } from "../services/mounted-service.ts";
import { createMethodNotFound } from "../services/unknown-method.ts";
import { checkFlags } from "./flags.ts";
import { plainTrailers, RawMetadata } from "./raw-metadata.ts";
import { rejectUnbegun, type StreamListener, sendTrailersOnly } from "./reject-stream.ts";
import { requireEncoding } from "./request-messages.ts";
import { sourceOf } from "./source.ts";
import { toGrpcStatus } from "./status.ts";
import { stopRequest } from "./stop-request.ts";

/** Access control for a grpc-js server. The gRPC listener installs `before` and `interceptor` in the server. */
export interface GrpcAccess {
  /**
   * Wraps the HTTP/2 stream listener of grpc-js. Starts and authenticates each call from its headers before grpc-js
   * gets the stream. Until then, HTTP/2 flow control holds back the request body, so authentication may be
   * asynchronous.
   */
  before(grpcJs: StreamListener): StreamListener;
  /** Records a request for a method that another listener has rejected. Ignores requests for other paths. */
  rejected(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, error: GatewayError): void;
  /** Adds typed details to statuses that grpc-js creates, and sends the status of a call as soon as it is ended. */
  readonly interceptor: ServerInterceptor;
  /** Returns the admitted call for the request metadata of a method that grpc-js runs. */
  admittedCall(metadata: Metadata): GrpcCall;
}

/** Call with the HTTP/2 stream that grpc-js serves, and the request headers without `grpc-timeout`. */
interface Entry extends AdmittedCall {
  readonly headers: IncomingHttpHeaders;
  readonly stream: ServerHttp2Stream;
}

/** Admitted call that grpc-js has started. */
export interface GrpcCall extends Entry {
  /** Sends to the stream. */
  readonly grpcJs: ServerInterceptingCallInterface;
}

/** Status that grpc-js passes to `sendStatus`. */
type SentStatus = Parameters<ServerInterceptingCallInterface["sendStatus"]>[0];

const callOf = Symbol("call of request metadata");

/** Request metadata with its call. Not in a WeakMap: young collections keep its values, even if their keys are gone. */
interface OwnedMetadata extends Metadata {
  [callOf]?: GrpcCall;
}

/**
 * Maximum size in bytes of a request without access control, such as a health check. Nothing else bounds its memory.
 */
const maxUncheckedBytes = 4096;

/** Sender of requests without access control. */
const uncheckedSender: Claimant = { holder: "", signal: new AbortController().signal };

/** Creates the access control for the mounted methods. grpc-js serves the paths in `unchecked` without access control. */
export function createGrpcAccess(
  { calls, mounted }: Pick<Services, "calls" | "mounted">,
  unchecked: ReadonlySet<string>,
): GrpcAccess {
  const methods = mounted.flatMap((service) => service.methods);
  const byPath = new Map(methods.map((method) => [pathOf(method.method), method]));
  const methodNotFound = createMethodNotFound([...byPath.keys(), ...unchecked]);
  // Call whose interceptor grpc-js creates next. Set only while the listener of grpc-js runs: grpc-js creates the
  // interceptor of a stream before its listener returns.
  let entering: Entry | undefined;
  // The same for a stream without access control.
  let enteringUnchecked: ServerHttp2Stream | undefined;

  function enter(
    { method, access, ...rules }: MountedMethod,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    grpcJs: StreamListener,
  ) {
    let call: Call;
    try {
      const { mayCost, operation, stream: isStream } = rules;
      call = calls.begin(sourceOf(stream, headers), { name: method.name, mayCost, operation, stream: isStream });
    } catch (error) {
      rejectUnbegun(stream, headers, toGatewayError(error));
      return;
    }
    const entry: Entry = { call, stream, headers, toThrown: (error) => error, reached: false };
    const proceed = (): void => {
      if (stream.destroyed) return;
      requireTimeout(headers);
      // grpc-js accepts any encoding until a message has the compressed flag.
      requireEncoding(headers["grpc-encoding"]);
      entering = entry;
      try {
        grpcJs(stream, headersForGrpcJs(headers));
      } finally {
        entering = undefined;
      }
    };
    try {
      const decision = access === "open" ? undefined : admitCall(call, roleFor(access));
      if (decision === undefined) proceed();
      else decision.then(proceed).catch((error: unknown) => reject(entry, error));
    } catch (error) {
      reject(entry, error);
    }
  }

  return {
    before: (grpcJs) => (stream, headers) => {
      const { ":path": path = "" } = headers;
      if (unchecked.has(path)) {
        enteringUnchecked = stream;
        try {
          grpcJs(stream, headers);
        } finally {
          enteringUnchecked = undefined;
        }
        limitUnchecked(stream);
        return;
      }
      const method = byPath.get(path);
      if (method === undefined) {
        const error = methodNotFound(path);
        calls.reject(sourceOf(stream, headers), unknownMethod, error);
        rejectUnbegun(stream, headers, error);
      } else enter(method, stream, headers, grpcJs);
    },

    rejected(stream, headers, error) {
      const mounted = byPath.get(headers[":path"] ?? "");
      if (mounted === undefined) return;
      const { method, stream: isStream } = mounted;
      calls.reject(sourceOf(stream, headers), { name: method.name, mayCost: false, stream: isStream }, error);
    },

    interceptor(_method, base) {
      const [entry, stream] = [entering, enteringUnchecked];
      const sendNow = base.sendStatus.bind(base);
      const send = (sent: SentStatus): void => whenRecorded(entry?.call, () => sendNow(sent));
      const sendStatus = (sent: SentStatus): void => {
        if (sent.metadata instanceof RawMetadata) send(sent);
        else if (sent.code === status.OK) send({ ...sent, metadata: plainTrailers });
        // If the client has disconnected, leave the call alone: it ends as cancelled and not with this status.
        else send(entry?.stream.destroyed ? sent : completed(sent, entry));
      };
      base.sendStatus = sendStatus;
      const statusOf = (error: GatewayError): StatusObject => {
        entry?.call.settle(error);
        return entry === undefined ? toGrpcStatus(error, { requestId: "" }) : statusOfCall(entry, error);
      };
      checkFlags(base, entry?.call.sender ?? uncheckedSender, statusOf, (bytes) => {
        if (entry !== undefined) entry.call.holdRequest(bytes);
        else if (bytes > maxUncheckedBytes) stream?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      });
      if (entry !== undefined) {
        let received = 0;
        // grpc-js has its own listener already, and has paused the stream.
        entry.stream.on("data", (chunk: Buffer) => {
          received += chunk.length;
          holdRequest(entry.call, received);
        });
        // Send the status at once, even if the client is still sending its request.
        const sendEnd = (error: GatewayError): void =>
          whenRecorded(entry.call, () => {
            sendNow(statusOfCall(entry, error));
            if (!entry.stream.readableEnded) stopRequest(entry.stream, error.reason);
          });
        entry.call.onEnded = sendEnd;
        const started: GrpcCall = Object.assign(entry, { grpcJs: base });
        const start = base.start.bind(base);
        const startOwned = (listener: Parameters<typeof start>[0]): void =>
          start({
            ...listener,
            onReceiveMetadata(metadata: OwnedMetadata) {
              metadata[callOf] = started;
              listener.onReceiveMetadata(metadata);
            },
          });
        base.start = startOwned;
      }
      // Modify `base` instead of wrapping it: a wrapper would slow every message, and would miss statuses that grpc-js
      // sends directly through `base`. The functions are not assigned as literals: see `releaseStream`.
      return base as ServerInterceptingCall;
    },

    admittedCall({ [callOf]: started }: OwnedMetadata) {
      if (started === undefined) throw new Error("a method ran without access control");
      return started;
    },
  };
}

/**
 * Removes `grpc-timeout`, because `Call` handles the deadline and grpc-js would end the call a second time without
 * details. Returns its milliseconds. Throws INVALID_REQUEST if the header is malformed.
 */
export function requireTimeout(headers: IncomingHttpHeaders): number | undefined {
  const { "grpc-timeout": header } = headers;
  if (header === undefined) return undefined;
  delete headers["grpc-timeout"];
  const ms = timeoutMs(header);
  if (ms === undefined) {
    throw new GatewayError("INVALID_REQUEST", "grpc-timeout is malformed; send up to 8 digits and a unit, such as 30S");
  }
  return ms;
}

/** Returns the headers that grpc-js reads. It would validate and copy the others, which Dragoman reads from the stream. */
function headersForGrpcJs(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return {
    ":path": headers[":path"],
    "content-type": headers["content-type"],
    "grpc-encoding": headers["grpc-encoding"],
  };
}

/**
 * Adds typed details to a status that grpc-js created, and settles the call. If the method has not started, the
 * request was too large or malformed. Otherwise the error is INTERNAL.
 */
function completed({ code, details }: SentStatus, entry: Entry | undefined): StatusObject {
  const methodRan = entry?.reached ?? false;
  const error = methodRan ? toGatewayError(undefined) : libraryError(code ?? status.UNKNOWN, details ?? "");
  if (entry === undefined) return toGrpcStatus(error, { requestId: "" });
  entry.call.settle(error);
  return statusOfCall(entry, error);
}

/** Resets a request without access control if it is too large. grpc-js has its own listener already. */
function limitUnchecked(stream: ServerHttp2Stream): void {
  let received = 0;
  stream.on("data", (chunk: Buffer) => {
    received += chunk.length;
    // Not a status: grpc-js may send one, too. Clients report the code as RESOURCE_EXHAUSTED.
    if (received > maxUncheckedBytes) stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });
}

/** Holds the bytes of a request that is arriving. If the budget is exhausted, the call ends. */
function holdRequest(call: Call, bytes: number): void {
  try {
    call.holdRequest(bytes);
  } catch {
    // The call has ended, and its signal has sent the status.
  }
}

function reject(entry: Entry, thrown: unknown): void {
  const error = toGatewayError(thrown);
  entry.call.settle(error);
  whenRecorded(entry.call, () => sendTrailersOnly(entry.stream, statusOfCall(entry, error)));
}

/** Sends a status when the observers have the record of the call: at once if they need no time, or without a call. */
function whenRecorded(call: Call | undefined, send: () => void): void {
  if (call?.recorded === undefined) send();
  else void call.recorded.then(send);
}

/** Returns the status of a call. If no headers were sent yet, the trailers include them. */
function statusOfCall({ call, stream }: Entry, thrown: unknown): StatusObject {
  return toGrpcStatus(toGatewayError(thrown), call, stream.headersSent ? [] : answerHeaders(call));
}

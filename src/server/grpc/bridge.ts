import type { DescMethod, Message } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  type MethodDefinition,
  type Server,
  type StatusObject,
  status,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { answerHeaders } from "../../calls/answer-headers.ts";
import type { Call } from "../../calls/call.ts";
import { GatewayError, toGatewayError } from "../../errors.ts";
import { encode } from "../../wire/codec.ts";
import type { AdmittedCall } from "../services/admitted-call.ts";
import { decodeRequest } from "../services/decode-request.ts";
import { type Implementation, type MountedService, pathOf } from "../services/mounted-service.ts";
import type { GrpcAccess } from "./access.ts";
import { GrpcContext } from "./context.ts";
import { MessageSender } from "./message-sender.ts";
import { RawMetadata, successTrailers, toFields } from "./raw-metadata.ts";
import { connectStatus, toGrpcStatus } from "./status.ts";

type AdmittedCallOf = GrpcAccess["admittedCall"];

/** Adds a mounted service to a grpc-js server. */
export function addService(server: Server, { methods }: MountedService, admittedCall: AdmittedCallOf): void {
  const definitions: Record<string, MethodDefinition<Buffer, Buffer>> = {};
  const handlers: Record<string, UntypedHandleCall> = {};
  for (const { method, implementation } of methods) {
    definitions[method.localName] = define(method);
    const handle = method.methodKind === "unary" ? unary : streaming;
    handlers[method.localName] = handle(method, implementation, admittedCall);
  }
  server.addService(definitions, handlers);
}

function define(method: DescMethod): MethodDefinition<Buffer, Buffer> {
  return {
    path: pathOf(method),
    requestStream: false,
    responseStream: method.methodKind === "server_streaming",
    // The handlers decode and encode, so that what cannot be converted gives an error with typed details, and ends the
    // call.
    requestSerialize: sameBytes,
    requestDeserialize: sameBytes,
    responseSerialize: sameBytes,
    responseDeserialize: sameBytes,
  };
}

const sameBytes = (bytes: Buffer): Buffer => bytes;

/** Decodes the request of a call. */
function decode({ input }: DescMethod, bytes: Buffer, { call }: AdmittedCall): unknown {
  call.holdRequest(bytes.length);
  return decodeRequest(input, bytes, call.maxValues);
}

/** Encodes a response. The cast is safe: a method returns a message of its output type, unknown to TypeScript here. */
function encodeResponse({ output }: DescMethod, response: unknown): Buffer {
  return encode(output, response as Message);
}

function unary(
  method: DescMethod,
  implementation: Implementation,
  admittedCall: AdmittedCallOf,
): handleUnaryCall<Buffer, Buffer> {
  return async (grpcCall, callback) => {
    const admitted = admittedCall(grpcCall.metadata);
    const context = new GrpcContext(method, admitted);
    try {
      const response = await implementation(decode(method, grpcCall.request, admitted), context);
      const bytes = encodeResponse(method, response);
      sendHeaders(grpcCall, context, admitted.call);
      callback(null, bytes, trailersOf(context));
    } catch (error) {
      sendStatus(() => callback(statusOfThrown(error, context, admitted.call, true)), callback);
    } finally {
      release.call(grpcCall);
    }
  };
}

function streaming(
  method: DescMethod,
  implementation: Implementation,
  admittedCall: AdmittedCallOf,
): handleServerStreamingCall<Buffer, Buffer> {
  return async (grpcCall) => {
    grpcCall.once("close", release);
    const admitted = admittedCall(grpcCall.metadata);
    const context = new GrpcContext(method, admitted);
    const sender = new MessageSender(admitted.stream, admitted.grpcJs, context.signal);
    let first = true;
    try {
      const responses = implementation(decode(method, grpcCall.request, admitted), context) as AsyncIterable<unknown>;
      for await (const response of responses) {
        if (context.signal.aborted) break;
        const bytes = encodeResponse(method, response);
        if (first) sendHeaders(grpcCall, context, admitted.call);
        first = false;
        const sent = sender.send(bytes);
        if (sent) await sent;
      }
      if (first && !context.signal.aborted) sendHeaders(grpcCall, context, admitted.call);
      grpcCall.end(trailersOf(context));
    } catch (error) {
      const fail = (status: Partial<StatusObject>): unknown => grpcCall.emit("error", status);
      sendStatus(() => fail(statusOfThrown(error, context, admitted.call, first)), fail);
    }
  };
}

/** Removes what an object of grpc-js refers to that has sent its status. It is a Writable: see `releaseStream`. */
function release(this: object): void {
  Object.assign(this, { call: undefined, request: undefined, metadata: undefined });
}

/**
 * Converts what a method threw, or decoding or encoding, to a status. Settles the call, unless its method has done so.
 * If no headers were sent yet, the trailers include them.
 */
function statusOfThrown(thrown: unknown, context: GrpcContext, call: Call, isFirst: boolean): StatusObject {
  const error = thrown instanceof ConnectError ? thrown : toGatewayError(thrown);
  // First, since it changes what the headers say of limits. A method that throws a ConnectError has settled its call.
  if (error instanceof GatewayError) call.settle(error);
  const { setHeaders = [], setTrailers = [] } = context;
  const trailers = isFirst ? [...answerHeaders(call), ...setHeaders, ...setTrailers] : setTrailers;
  return error instanceof ConnectError ? connectStatus(error, trailers) : toGrpcStatus(error, call, trailers);
}

/** Sends a status. If that throws, sends INTERNAL without details, since a grpc-js handler must not throw. */
function sendStatus(send: () => unknown, fallback: (status: Partial<StatusObject>) => unknown): void {
  try {
    send();
  } catch {
    fallback({ code: status.INTERNAL, details: "an internal error occurred" });
  }
}

/** Sends the headers of the call and of its method. */
function sendHeaders(
  grpcCall: { sendMetadata(metadata: Metadata): void },
  { setHeaders }: GrpcContext,
  call: Call,
): void {
  const fields = toFields(answerHeaders(call));
  grpcCall.sendMetadata(new RawMetadata(setHeaders ? { ...fields, ...toFields(setHeaders) } : fields));
}

function trailersOf({ setTrailers }: GrpcContext): RawMetadata | undefined {
  return setTrailers && successTrailers(setTrailers);
}

import {
  type create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type MethodDefinition,
  type Server,
  type StatusObject,
  status,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { drained } from "../../drained.ts";
import { GatewayError, toGatewayError } from "../../errors.ts";
import type { AdmittedCall } from "../services/admitted-call.ts";
import type { GrpcAccess } from "./access.ts";
import { GrpcContext } from "./context.ts";
import { toGrpcStatus } from "./status.ts";

/** An implementation of a method, its types lost: which schema belongs to it is known from the descriptor. */
type Implementation = (request: unknown, context: HandlerContext) => unknown;

type AdmittedCallOf = GrpcAccess["admittedCall"];

/** Encodes the messages of one method's output, where that is done better than by toBinary. */
export type Encoders = ReadonlyMap<DescMessage, (message: unknown) => Buffer>;

/** Mounts a service written for Connect on a grpc-js server: unary and server-streaming methods. */
export function addService<Service extends DescService>(
  server: Server,
  service: Service,
  implementation: ServiceImpl<Service>,
  admittedCall: AdmittedCallOf,
  encoders: Encoders = new Map(),
): void {
  const definitions: Record<string, MethodDefinition<Buffer, unknown>> = {};
  const handlers: Record<string, UntypedHandleCall> = {};
  for (const method of service.methods) {
    definitions[method.localName] = define(method, encoders);
    // ServiceImpl's mapped type cannot be indexed by a name that is known only at run time.
    const handler = (implementation as Record<string, Implementation>)[method.localName];
    if (handler === undefined) throw new Error(`${service.typeName}.${method.name} has no implementation`);
    handlers[method.localName] =
      method.methodKind === "unary" ? unary(method, handler, admittedCall) : streaming(method, handler, admittedCall);
  }
  server.addService(definitions, handlers);
}

function define(method: DescMethod, encoders: Encoders): MethodDefinition<Buffer, unknown> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: false,
    responseStream: method.methodKind === "server_streaming",
    // The request stays as bytes until the handler runs, so that bad bytes are an error with details like any other.
    requestSerialize: (value) => value,
    requestDeserialize: (bytes) => bytes,
    responseSerialize: encoders.get(method.output) ?? serializer(method.output),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes),
  };
}

function serializer(schema: DescMessage): (value: unknown) => Buffer {
  return (value) => {
    // Both kinds of handler answer with messages of the method's output, which only the descriptor knows.
    const bytes = toBinary(schema, value as ReturnType<typeof create<DescMessage>>);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

/** Decodes the request of a call. Settles the call where it cannot be decoded, since no method does then. */
function decode({ input }: DescMethod, bytes: Buffer, { call }: AdmittedCall): unknown {
  try {
    return fromBinary(input, bytes);
  } catch (cause) {
    const error = new GatewayError("INVALID_REQUEST", `the request is not a valid ${input.typeName}`, { cause });
    call.settle(error);
    throw error;
  }
}

function unary(
  method: DescMethod,
  handler: Implementation,
  admittedCall: AdmittedCallOf,
): handleUnaryCall<Buffer, unknown> {
  return async (grpcCall, callback) => {
    const admitted = admittedCall(grpcCall.metadata);
    const context = new GrpcContext(method, admitted);
    try {
      const response = await handler(decode(method, grpcCall.request, admitted), context);
      sendHeaders(grpcCall, context);
      callback(null, response);
    } catch (error) {
      sendStatus(() => callback(statusOfThrown(error, context, true)), callback);
    }
  };
}

function streaming(
  method: DescMethod,
  handler: Implementation,
  admittedCall: AdmittedCallOf,
): handleServerStreamingCall<Buffer, unknown> {
  return async (grpcCall) => {
    const admitted = admittedCall(grpcCall.metadata);
    const context = new GrpcContext(method, admitted);
    let first = true;
    try {
      const responses = handler(decode(method, grpcCall.request, admitted), context) as AsyncIterable<unknown>;
      for await (const response of responses) {
        if (first) sendHeaders(grpcCall, context);
        first = false;
        if (context.signal.aborted) break;
        if (!grpcCall.write(response)) await drained(grpcCall, context.signal);
      }
      grpcCall.end();
    } catch (error) {
      const fail = (status: Partial<StatusObject>): unknown => grpcCall.emit("error", status);
      sendStatus(() => fail(statusOfThrown(error, context, first)), fail);
    }
  };
}

/** The status of what a method threw. Without leading metadata before it, it has what they would have had. */
function statusOfThrown(thrown: unknown, { responseHeader }: GrpcContext, isFirst: boolean): StatusObject {
  const requestId = responseHeader.get("x-request-id") ?? "";
  return toGrpcStatus(toGatewayError(thrown), requestId, isFirst ? responseHeader : []);
}

/** Sends a status. If that throws, a bare INTERNAL goes out: nothing may leave a handler as an exception. */
function sendStatus(send: () => unknown, fallback: (status: Partial<StatusObject>) => unknown): void {
  try {
    send();
  } catch {
    fallback({ code: status.INTERNAL, details: "an internal error occurred" });
  }
}

function sendHeaders(grpcCall: { sendMetadata(metadata: Metadata): void }, context: GrpcContext): void {
  const metadata = new Metadata();
  for (const [name, value] of context.responseHeader) metadata.set(name, value);
  grpcCall.sendMetadata(metadata);
}

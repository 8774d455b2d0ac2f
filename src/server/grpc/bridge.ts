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
import { toGatewayError } from "../../errors.ts";
import type { AdmittedCall } from "../services/admitted-call.ts";
import { decodeRequest } from "../services/decode-request.ts";
import type { GrpcAccess } from "./access.ts";
import { GrpcContext } from "./context.ts";
import { toGrpcStatus } from "./status.ts";

/** Untyped implementation of a method. The method descriptor has its schemas. */
type Implementation = (request: unknown, context: HandlerContext) => unknown;

type AdmittedCallOf = GrpcAccess["admittedCall"];

/** Faster replacements for `toBinary`, by the schema of a response message. */
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
    // TypeScript cannot index the mapped type ServiceImpl with a name that is known only at run time.
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
    // The handler decodes the request, so that malformed bytes give an error with typed details and a call record.
    requestSerialize: (value) => value,
    requestDeserialize: (bytes) => bytes,
    responseSerialize: encoders.get(method.output) ?? serializer(method.output),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes),
  };
}

function serializer(schema: DescMessage): (value: unknown) => Buffer {
  return (value) => {
    // The cast is safe: a handler returns a message of the method's output type, which TypeScript cannot know here.
    const bytes = toBinary(schema, value as ReturnType<typeof create<DescMessage>>);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

/** Decodes the request of a call. If that fails, settles the call, because the method that would do so never runs. */
function decode({ input }: DescMethod, bytes: Buffer, { call }: AdmittedCall): unknown {
  try {
    call.holdRequest(bytes.length);
    return decodeRequest(input, bytes);
  } catch (thrown) {
    const error = toGatewayError(thrown);
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

/** Converts what a method threw to a status. If no headers were sent yet, the trailers include them. */
function statusOfThrown(thrown: unknown, { responseHeader }: GrpcContext, isFirst: boolean): StatusObject {
  const requestId = responseHeader.get("x-request-id") ?? "";
  return toGrpcStatus(toGatewayError(thrown), requestId, isFirst ? responseHeader : []);
}

/** Sends a status. If that throws, sends INTERNAL without details, since a grpc-js handler must not throw. */
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

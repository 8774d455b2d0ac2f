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
  type ServerWritableStream,
  type StatusObject,
  status,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { GatewayError } from "../../errors.ts";
import type { Services } from "../listener.ts";
import { GrpcContext } from "./context.ts";
import { beginMethod } from "./refusals.ts";
import { toGrpcStatus } from "./status.ts";

/** An implementation of a method, its types lost: which schema belongs to it is known from the descriptor. */
type Implementation = (request: unknown, context: HandlerContext) => unknown;

type Access = Pick<Services, "gate" | "refuse">;

/** Encodes the messages of one method's output, where that is done better than by toBinary. */
export type Encoders = ReadonlyMap<DescMessage, (message: unknown) => Buffer>;

/**
 * Mounts a service written for Connect on a grpc-js server: unary and server-streaming methods. The gate runs before a
 * request is decoded.
 */
export function addService<Service extends DescService>(
  server: Server,
  service: Service,
  implementation: ServiceImpl<Service>,
  access: Access,
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
      method.methodKind === "unary" ? unary(method, handler, access) : streaming(method, handler, access);
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

/** The request of a call, which has to pass the gate before it is decoded. */
function admit(context: GrpcContext, bytes: Buffer, { gate, refuse }: Access): unknown {
  gate(context);
  const { input } = context.method;
  try {
    return fromBinary(input, bytes);
  } catch (cause) {
    throw refuse(
      context,
      new GatewayError("INVALID_REQUEST", `the request is not a valid ${input.typeName}`, { cause }),
    );
  }
}

function unary(method: DescMethod, handler: Implementation, access: Access): handleUnaryCall<Buffer, unknown> {
  return async (call, callback) => {
    const context = new GrpcContext(method, call);
    beginMethod(call, context);
    try {
      const response = await handler(admit(context, call.request, access), context);
      context.finish();
      sendHeaders(call, context);
      callback(null, response);
    } catch (error) {
      context.finish();
      sendStatus(error, callback);
    }
  };
}

function streaming(
  method: DescMethod,
  handler: Implementation,
  access: Access,
): handleServerStreamingCall<Buffer, unknown> {
  return async (call) => {
    const context = new GrpcContext(method, call);
    beginMethod(call, context);
    try {
      const responses = handler(admit(context, call.request, access), context) as AsyncIterable<unknown>;
      let first = true;
      for await (const response of responses) {
        if (first) sendHeaders(call, context);
        first = false;
        if (context.signal.aborted) break;
        if (!call.write(response)) await drained(call, context.signal);
      }
      context.finish();
      call.end();
    } catch (error) {
      context.finish();
      sendStatus(error, (status) => call.emit("error", status));
    }
  };
}

/** Sends a status. If sending it throws, a bare INTERNAL goes out: nothing may leave a handler as an exception. */
function sendStatus(error: unknown, send: (status: Partial<StatusObject>) => void): void {
  try {
    send(toGrpcStatus(error));
  } catch {
    send({ code: status.INTERNAL, details: "an internal error occurred" });
  }
}

function sendHeaders(call: { sendMetadata(metadata: Metadata): void }, context: GrpcContext): void {
  const metadata = new Metadata();
  for (const [name, value] of context.responseHeader) metadata.set(name, value);
  call.sendMetadata(metadata);
}

/** Settles when the client has read enough to go on, or is gone: this is what pauses the upstream. */
function drained(call: ServerWritableStream<Buffer, unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const go = (): void => {
      call.off("drain", go);
      signal.removeEventListener("abort", go);
      resolve();
    };
    call.on("drain", go);
    signal.addEventListener("abort", go);
  });
}

import { setTimeout as delay } from "node:timers/promises";
import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ConnectError, type HandlerContext } from "@connectrpc/connect";
import { answerCall, streamCall } from "../../src/server/services/admitted-call.ts";
import { timeoutMs } from "../../src/server/services/grpc-timeout.ts";
import { type MountedService, mountService } from "../../src/server/services/mounted-service.ts";
import {
  type ErrorDefinition,
  type Header,
  loadSchemas,
  type ResponseDefinition,
  type StreamDefinition,
  type UnaryDefinition,
} from "./schema.ts";

/**
 * Creates the ConformanceService: its methods answer what the request tells them to, and echo the request.
 * https://github.com/connectrpc/conformance/blob/v1.0.7/docs/testing_servers.md
 */
export function createConformanceService(): MountedService {
  const { service, message } = loadSchemas();
  const requestInfoSchema = message("ConformancePayload.RequestInfo");

  /** Returns what the service knows of a request. */
  function requestInfoOf(schema: DescMessage, request: Message, context: HandlerContext): Message {
    const { requestHeader, requestMethod, url } = context;
    // The timeout that the client sent: what remains of it depends on the load of the machine.
    const connectTimeout = requestHeader.get("connect-timeout-ms");
    const timeout =
      connectTimeout === null
        ? (timeoutMs(requestHeader.get("grpc-timeout") ?? undefined) ?? context.timeoutMs())
        : Number(connectTimeout);
    return create(requestInfoSchema, {
      requestHeaders: toHeaders(requestHeader),
      requests: [anyPack(schema, request)],
      ...(timeout !== undefined && { timeoutMs: BigInt(Math.round(timeout)) }),
      ...(requestMethod === "GET" && { connectGetInfo: { queryParams: toHeaders(new URL(url).searchParams) } }),
    });
  }

  function errorOf({ code, message, details }: ErrorDefinition, requestInfo: Message | undefined): ConnectError {
    const error = new ConnectError(message ?? "", code);
    const all = requestInfo === undefined ? details : [...details, anyPack(requestInfoSchema, requestInfo)];
    error.details = all.map(({ typeUrl, value }) => ({ type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1), value }));
    return error;
  }

  const unary = (input: DescMessage, output: DescMessage) => (request: Message, context: HandlerContext) =>
    answerCall(context, async () => {
      const definition = (request as { responseDefinition?: UnaryDefinition }).responseDefinition;
      const requestInfo = requestInfoOf(input, request, context);
      setHeaders(context, definition);
      await delay(definition?.responseDelayMs ?? 0, undefined, { signal: context.signal });
      const { response = { case: undefined } } = definition ?? {};
      if (response.case === "error") throw errorOf(response.value, requestInfo);
      const data = response.case === "responseData" ? response.value : new Uint8Array();
      return create(output, { payload: { data, requestInfo } });
    });

  const [streamRequest, streamResponse] = [message("ServerStreamRequest"), message("ServerStreamResponse")];

  async function* stream(request: Message, context: HandlerContext): AsyncGenerator<Message> {
    const definition = (request as { responseDefinition?: StreamDefinition }).responseDefinition;
    let requestInfo: Message | undefined = requestInfoOf(streamRequest, request, context);
    setHeaders(context, definition);
    for (const data of definition?.responseData ?? []) {
      await delay(definition?.responseDelayMs ?? 0, undefined, { signal: context.signal });
      yield create(streamResponse, { payload: { data, ...(requestInfo && { requestInfo }) } });
      requestInfo = undefined;
    }
    if (definition?.error !== undefined) throw errorOf(definition.error, requestInfo);
  }

  const implementation = {
    unary: unary(message("UnaryRequest"), message("UnaryResponse")),
    idempotentUnary: unary(message("IdempotentUnaryRequest"), message("IdempotentUnaryResponse")),
    serverStream: (request: Message, context: HandlerContext) => streamCall(context, () => stream(request, context)),
  };
  // TypeScript does not know the methods of a service whose descriptor is loaded at run time.
  return mountService(service, implementation as object, "open");
}

function setHeaders(context: HandlerContext, definition: ResponseDefinition | undefined): void {
  const append = (target: Headers, headers: readonly Header[] = []): void => {
    for (const { name, value } of headers) for (const single of value) target.append(name, single);
  };
  append(context.responseHeader, definition?.responseHeaders);
  append(context.responseTrailer, definition?.responseTrailers);
}

function toHeaders(entries: Iterable<[name: string, value: string]>): Header[] {
  return [...entries].map(([name, value]) => ({ name, value: value.split(/, */) }));
}

import { AsyncLocalStorage } from "node:async_hooks";
import { createRegistry, type DescMessage } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type MethodImpl,
} from "@connectrpc/connect";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import type { ActiveCalls } from "../../calls/active-calls.ts";
import { admitCall } from "../../calls/admit-call.ts";
import { answerHeaders } from "../../calls/answer-headers.ts";
import type { Call } from "../../calls/call.ts";
import type { CallSource } from "../../calls/call-environment.ts";
import { type CallMethod, unknownMethod } from "../../calls/call-method.ts";
import type { Config } from "../../config/config.ts";
import { type GatewayError, toGatewayError } from "../../errors.ts";
import { whenAborted } from "../../surfaces/kit/http-source.ts";
import type { Services } from "../listener.ts";
import { type AdmittedCall, setAdmittedCall } from "../services/admitted-call.ts";
import { decodeOptions, requireBounds } from "../services/decode-request.ts";
import { decompressInTurn } from "../services/decompression.ts";
import { libraryError } from "../services/library-errors.ts";
import { type Access, roleFor } from "../services/method-rules.ts";
import type { MountedMethod } from "../services/mounted-service.ts";
import { type FailedRequest, statusOf } from "../services/status.ts";
import { createMethodNotFound } from "../services/unknown-method.ts";
import { checkedBody, checkedCompression } from "./bounded-request.ts";
import { type CallOf, heldBody } from "./held-body.ts";
import { jsonOptions, mistakesIn } from "./json-requests.ts";
import { jsonError, wrongHttp } from "./wrong-http.ts";

type Handler = ReturnType<typeof createConnectRouter>["handlers"][number];
type Request = Parameters<Handler>[0];
type Response = Awaited<ReturnType<Handler>>;

/** The client of a request: its address, and a signal that aborts when it disconnects. */
interface Client {
  readonly address: string;
  readonly signal: AbortSignal;
}

/** Authenticated call whose request Connect is reading. */
interface Entry extends AdmittedCall {
  readonly context: HandlerContext;
}

/** Finds the call of the request that Connect decodes, since Connect gives a compression and a decoder no context. */
const decoding = new AsyncLocalStorage<() => Entry | undefined>();

const clientSignal = createContextKey<AbortSignal>(AbortSignal.abort(), {
  description: "aborts when the client disconnects",
});
const clientAddress = createContextKey<string>("", { description: "IP address of the client" });
const entryKey = createContextKey<Entry | undefined>(undefined, { description: "the call before its method runs" });
const rejection = createContextKey<ConnectError | undefined>(undefined, {
  description: "the error that rejects the call",
});

/**
 * Creates the handler for Connect and gRPC-Web calls. The handler returns undefined for any other request.
 *
 * Errors that Connect creates by itself, such as for a malformed body, have no typed details and no call record. The
 * handler replaces such a response with one that has details, and settles the call.
 */
export function createConnectHandler(
  config: Config,
  services: Services,
): (path: string, request: Request, client: Client) => Promise<Response> | undefined {
  const methods = services.mounted.flatMap((mounted) => mounted.methods);
  const mounted = new Map(methods.map((method) => [method.method, method]));
  const begin = (context: HandlerContext): undefined | Promise<void> => {
    const { access, ...rules } = mounted.get(context.method) ?? { access: "admin", mayCost: false };
    return beginCall(services.calls, context, access, { ...rules, name: context.method.name });
  };
  const handlers = {
    json: createHandlers(config, methods, begin, "json"),
    binary: createHandlers(config, methods, begin, "binary"),
  };
  // Handlers that only send an error, in the protocol of the request (Connect or gRPC-Web). Their request gate runs
  // before the method and throws the error in `rejection`.
  const rejecters = createHandlers(config, methods, throwRejection, "json");
  const methodNotFound = createMethodNotFound(rejecters.keys());

  function reject(rejecter: Handler, request: Request, error: ConnectError): Promise<Response> {
    return rejecter({ ...request, body: noBody(), contextValues: createContextValues().set(rejection, error) });
  }

  async function handle(handler: Handler, rejecter: Handler, request: Request, client: Client): Promise<Response> {
    const values = createContextValues().set(clientSignal, client.signal).set(clientAddress, client.address);
    const entryOf = () => values.get(entryKey);
    const callOf: CallOf = () => entryOf()?.call;
    // The listener parses no body, so the body is always bytes.
    const held = heldBody(request.body as AsyncIterable<Uint8Array>, callOf);
    const body = formatOf(request) === "json" ? held : checked(handler, request, held);
    const response = await decoding.run(entryOf, () => handler({ ...request, body, contextValues: values }));
    const entry = entryOf();
    if (entry === undefined || entry.reached) return response;
    // Discard the response body: read it to its end, so that its generator does not stay suspended. It does not wait.
    for await (const _ of response.body ?? []);
    const { call, context } = entry;
    const error = call.signal.aborted
      ? toGatewayError(call.signal.reason)
      : errorOf(context.signal.reason, handler.method.input, entry.json);
    call.settle(error);
    await call.recorded;
    return reject(rejecter, request, toConnectError(error, call));
  }

  /** Returns the body of a binary request. Its uncompressed messages are checked before Connect decodes them. */
  function checked({ method }: Handler, { header }: Request, chunks: AsyncIterable<Uint8Array>) {
    const { maxRequestBytes: maxBytes, maxValues } = config.limits;
    return checkedBody(chunks, { schema: method.input, header, maxBytes, check: wireCheck(maxValues) });
  }

  async function rejectUnknown(rejecter: Handler, request: Request, error: GatewayError): Promise<Response> {
    const response = await reject(rejecter, request, toConnectError(error, { requestId: "" }));
    // Connect sets 501 (not implemented). Send 404 instead: Connect clients read the error from the body anyway.
    return response.status >= 400 ? { ...response, status: 404 } : response;
  }

  return (path, request, client) => {
    const format = formatOf(request);
    const [handler, rejecter] = [handlers[format].get(path), rejecters.get(path)];
    if (handler !== undefined && rejecter !== undefined) {
      const wrong = wrongHttp(handler, request);
      if (wrong === undefined) return handle(handler, rejecter, request, client);
      const stream = handler.method.methodKind === "server_streaming";
      services.calls.reject(sourceOf(request, client), { name: handler.method.name, stream, mayCost: false }, wrong);
      return Promise.resolve(jsonError(wrong));
    }
    const contentType = request.header.get("content-type") ?? "";
    if (!isRpc(path, contentType, services)) return undefined;
    const error = methodNotFound(path);
    services.calls.reject(sourceOf(request, client), unknownMethod, error);
    const rejecterOfType = [...rejecters.values()].find((candidate) => candidate.supportedContentType(contentType));
    const isCall = rejecterOfType !== undefined && request.method === "POST";
    return isCall ? rejectUnknown(rejecterOfType, request, error) : Promise.resolve(jsonError(error));
  };
}

/** Whether a request means a method, and not a page or another HTTP API, by its content type or its path. */
function isRpc(path: string, contentType: string, { mounted }: Services): boolean {
  if (/^application\/(?:grpc|connect|proto)\b/i.test(contentType)) return true;
  const [service = "", method] = path.split("/").filter((segment) => segment !== "");
  if (method !== undefined && /^\w+(?:\.\w+)+$/.test(service)) return true;
  return mounted.some(({ service: { typeName, name } }) =>
    [typeName.toLowerCase(), name.toLowerCase()].includes(service.toLowerCase()),
  );
}

/** Format of the messages of a request. JSON and binary messages have different checks before Connect decodes them. */
type Format = "json" | "binary";

/** Connect's content types contain `json` if and only if the messages are JSON. */
function formatOf({ header }: Request): Format {
  return /json/i.test(header.get("content-type") ?? "") ? "json" : "binary";
}

function throwRejection({ values }: HandlerContext): never {
  throw values.get(rejection);
}

/** Starts a call and, unless it is open, authenticates it from its headers, before Connect reads its body. */
function beginCall(
  calls: ActiveCalls,
  context: HandlerContext,
  access: Access,
  callMethod: CallMethod,
): undefined | Promise<void> {
  const { requestHeader, protocolName, timeoutMs, values } = context;
  // Connect's signal is unsuitable: it also aborts when Connect ends a call by itself.
  const signal = values.get(clientSignal);
  const peerAddress = values.get(clientAddress);
  let call: Call;
  try {
    call = calls.begin(
      { requestHeader, protocolName, timeoutMs, onGone: whenAborted(signal), peerAddress },
      callMethod,
    );
  } catch (error) {
    throw toConnectError(toGatewayError(error), { requestId: "" });
  }
  context.responseHeader.set("x-request-id", call.requestId);
  const toThrown = (error: GatewayError) => toConnectError(error, call);
  try {
    const decision = access === "open" ? undefined : admitCall(call, roleFor(access));
    const enter = (): void => {
      const beforeAnswer = (): void => {
        for (const [name, value] of answerHeaders(call)) context.responseHeader.set(name, value);
      };
      const entry: Entry = { call, context, toThrown, beforeAnswer, reached: false };
      values.set(entryKey, entry);
      setAdmittedCall(context, entry);
      // After the method has started, this signal aborts if the client disconnects or the deadline passes. If a write
      // fails, it aborts earlier than `clientSignal`.
      context.signal.addEventListener("abort", () => entry.reached && call.clientGone());
    };
    if (decision === undefined) enter();
    else return decision.then(enter, (error) => Promise.reject(toThrown(toGatewayError(error))));
  } catch (error) {
    throw toThrown(toGatewayError(error));
  }
  return undefined;
}

const compressions = [compressionGzip, compressionBrotli].map((compression) => ({
  ...compression,
  async decompress(bytes: Uint8Array, maxBytes: number) {
    const call = decoding.getStore()?.()?.call;
    if (call === undefined) throw new Error("a request was decompressed before its call began");
    const decompressed = await decompressInTurn(call.sender, () => compression.decompress(bytes, maxBytes));
    call.holdRequest(decompressed.length);
    return decompressed;
  },
}));

/**
 * Creates the Connect handlers of the mounted methods for one format, by path. `requestGate` runs before Connect reads
 * a request. Each method has its own compressions, because the check of decompressed messages depends on the schema.
 */
function createHandlers(
  config: Config,
  methods: readonly MountedMethod[],
  requestGate: (context: HandlerContext) => undefined | Promise<void>,
  format: Format,
): ReadonlyMap<string, Handler> {
  // Types that a google.protobuf.Any in JSON can have: those in the files of the services.
  const registry = createRegistry(...methods.map(({ method }) => method.parent.file));
  const { maxRequestBytes, maxValues } = config.limits;
  // Options of a method replace those of the router.
  const protocols = { grpc: false };
  const router = createConnectRouter({
    ...protocols,
    requestGate,
    readMaxBytes: maxRequestBytes,
    binaryOptions: decodeOptions,
  });
  for (const { method, implementation } of methods) {
    const acceptCompression = compressions.map((compression) =>
      format === "json" ? compression : checkedCompression(compression, method.input, wireCheck(maxValues)),
    );
    // The cast is safe: `mountService` takes implementations of the methods of its service.
    router.rpc(method, implementation as MethodImpl<typeof method>, {
      ...protocols,
      acceptCompression,
      jsonOptions: jsonOptions({ schema: method.input, maxValues, registry, onText: keepText }),
    });
  }
  return new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
}

/** Creates a check that throws a ConnectError if a binary request is malformed or exceeds a bound. */
function wireCheck(maxValues: number): (schema: DescMessage, bytes: Uint8Array) => void {
  return (schema, bytes) => {
    try {
      requireBounds(schema, bytes, maxValues);
    } catch (error) {
      throw toConnectError(toGatewayError(error), { requestId: "" });
    }
  };
}

/** Keeps the text of a request until its method starts, to explain why it cannot be decoded. */
function keepText(text: string): void {
  const entry = decoding.getStore()?.();
  if (entry !== undefined) entry.json = text;
}

/**
 * Converts the abort reason of Connect's context signal, which is the error with which Connect ended the call. `json`:
 * text of a JSON request.
 */
function errorOf(reason: unknown, schema: DescMessage, json: string | undefined): GatewayError {
  const isMalformed = reason instanceof ConnectError && reason.code === Code.InvalidArgument;
  const mistakes = isMalformed && json !== undefined ? mistakesIn(schema, json, reason.rawMessage) : undefined;
  if (mistakes !== undefined) return mistakes;
  return reason instanceof ConnectError ? libraryError(reason.code, reason.rawMessage) : toGatewayError(reason);
}

function toConnectError(error: GatewayError, request: FailedRequest): ConnectError {
  const { code, message, details } = statusOf(error, request);
  return new ConnectError(message, code, undefined, [...details], error);
}

/** Makes the call source of a request that Connect rejects before it knows the protocol. */
function sourceOf({ header }: Request, { address, signal }: Client): CallSource {
  return {
    requestHeader: header,
    protocolName: "connect",
    timeoutMs: () => undefined,
    onGone: whenAborted(signal),
    peerAddress: address,
  };
}

async function* noBody(): AsyncGenerator<Uint8Array> {}

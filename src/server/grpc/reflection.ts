import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { type StatusObject, status } from "@grpc/grpc-js";
import type { ActiveCalls } from "../../calls/active-calls.ts";
import { admitCall } from "../../calls/admit-call.ts";
import type { Config } from "../../config/config.ts";
import { drained } from "../../drained.ts";
import { GatewayError, toGatewayError } from "../../errors.ts";
import type { Duration } from "../connections.ts";
import { createTurns, type NextTurn } from "../turns.ts";
import { requireTimeout } from "./access.ts";
import { plainTrailers } from "./raw-metadata.ts";
import type { Reflector } from "./reflector.ts";
import { type StreamListener, sendTrailersOnly } from "./reject-stream.ts";
import { acceptedEncodings, requestMessages } from "./request-messages.ts";
import { sourceOf } from "./source.ts";
import { toGrpcStatus } from "./status.ts";
import { stopRequest } from "./stop-request.ts";

/** Names of the reflection services. v1alpha is for older tools and has the same wire format. */
export const reflectionServices = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

/** Paths of the reflection methods. A client may send requests as long as a call may take. */
export const reflectionPaths: ReadonlyMap<string, Duration> = new Map(
  reflectionServices.map((name) => [`/${name}/ServerReflectionInfo`, "unbounded"]),
);

/** Maximum size of a request in bytes: a symbol or file name, and the host. */
const maxRequestBytes = 4096;

/** Maximum number of requests that one turn of the event loop answers, over all connections. */
const requestsPerTurn = 16;

interface Reflection {
  /** Returns the reflector. Creates it for the first request. */
  reflector(): Promise<Reflector>;
  readonly nextTurn: NextTurn;
  readonly calls: ActiveCalls;
  /** Configuration when the request begins. */
  readonly config: Pick<Config, "grpc" | "limits">;
}

/**
 * Wraps a stream listener and serves reflection in front of it, as `grpc.reflection` configures it.
 *
 * `@grpc/reflection` is not used: it reads descriptors through protobufjs, which loses `optional`, custom options and
 * comments. This implementation sends buf's descriptors unchanged, so `grpcurl describe` shows the documentation.
 * grpc-js does not serve it either, since it copies each response: a client that does not read would hold 340 KiB for
 * each request.
 *
 * @param configNow returns the configuration for a request that begins now
 * @param services names that reflection lists
 */
export function createReflection(
  configNow: () => Reflection["config"],
  calls: ActiveCalls,
  services: readonly string[],
): (next: StreamListener) => StreamListener {
  // Most services are never asked, and reading all descriptors takes 70 ms of CPU time.
  let created: Reflector | undefined;
  const reflector = async () => {
    const { createReflector } = await import("./reflector.ts");
    created ??= createReflector(services);
    return created;
  };
  const nextTurn = createTurns(requestsPerTurn);
  return (next) => (stream, headers) => {
    const { ":path": path = "" } = headers;
    const config = configNow();
    if (!reflectionPaths.has(path) || config.grpc.reflection === "off") next(stream, headers);
    else void serve({ reflector, nextTurn, calls, config }, stream, headers);
  };
}

/**
 * Admits the request like a call, with a record, if reflection needs a key. Throws, or rejects with, the error of the
 * caller. The call ends at once: reflection does not hold up the shutdown.
 */
async function admit({ calls, config }: Reflection, stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
  if (config.grpc.reflection === "on") return;
  const call = calls.begin(sourceOf(stream, headers), { name: "ServerReflectionInfo", mayCost: false, stream: true });
  try {
    await admitCall(call);
  } catch (thrown) {
    throw toGatewayError(thrown).with({ metadata: { request_id: call.requestId } });
  }
  call.settle();
}

/** Serves one stream of requests. Never rejects: every error becomes the status of the stream. */
async function serve(reflection: Reflection, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
  const ended = new AbortController();
  const end = (error: GatewayError | undefined): void => {
    if (ended.signal.aborted) return;
    ended.abort();
    sendStatus(stream, error);
  };
  let timer: NodeJS.Timeout | undefined;
  stream.once("close", () => {
    clearTimeout(timer);
    ended.abort();
  });
  try {
    const timeoutMs = Math.min(requireTimeout(headers) ?? Number.POSITIVE_INFINITY, reflection.config.limits.maxCallMs);
    timer = setTimeout(() => end(new GatewayError("DEADLINE_EXCEEDED", "the deadline of the call passed")), timeoutMs);
    await admit(reflection, stream, headers);
    await answerRequests(reflection, stream, headers, ended.signal);
    end(undefined);
  } catch (thrown) {
    end(toGatewayError(thrown));
  } finally {
    clearTimeout(timer);
  }
}

async function answerRequests(
  { reflector, nextTurn }: Reflection,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  signal: AbortSignal,
): Promise<void> {
  const encoding = headers["grpc-encoding"]?.toString() ?? "identity";
  for await (const message of requestMessages(stream, encoding, maxRequestBytes)) {
    await nextTurn();
    if (signal.aborted) return;
    const [echo, result] = answerTo(await reflector(), message);
    if (!stream.headersSent) stream.respond(responseHeaders, { waitForTrailers: true });
    const head = Buffer.alloc(5 + echo.length);
    head.writeUInt32BE(echo.length + result.length, 1);
    head.set(echo, 5);
    stream.write(head);
    if (!stream.write(result)) await drained(stream, signal);
    if (signal.aborted) return;
  }
}

function answerTo(reflect: Reflector, message: Uint8Array): ReturnType<Reflector> {
  try {
    return reflect(message);
  } catch (cause) {
    throw new GatewayError("INVALID_REQUEST", "the request is not a valid ServerReflectionRequest", { cause });
  }
}

const responseHeaders = {
  ":status": 200,
  "content-type": "application/grpc+proto",
  "grpc-accept-encoding": acceptedEncodings,
};

const ok: StatusObject = { code: status.OK, details: "", metadata: plainTrailers };

/** Sends the status after the responses. Resets the stream if its client does not read the responses. */
function sendStatus(stream: ServerHttp2Stream, error: GatewayError | undefined): void {
  if (stream.destroyed) return;
  if (error !== undefined && stream.writableNeedDrain) {
    stream.close(constants.NGHTTP2_CANCEL);
    return;
  }
  const { code, details, metadata } = error === undefined ? ok : toGrpcStatus(error, { requestId: "" });
  if (!stream.headersSent) {
    sendTrailersOnly(stream, { code, details, metadata });
    return;
  }
  stream.once("wantTrailers", () => {
    stream.sendTrailers({ "grpc-status": code, "grpc-message": encodeURI(details), ...metadata.toHttp2Headers() });
    stopRequest(stream);
  });
  stream.end();
}

import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CompleteChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { scriptEcho } from "../support/requests.ts";
import { requireKey, startTestService, type TestService } from "../support/service.ts";
import { callRaw, endingOfGrpc, frame, openGrpc, type RawCall, type Wire, wireFacts, wires } from "./raw-calls.ts";

const limit = 100_000;

let service: TestService;
beforeAll(async () => {
  service = await startTestService({}, (config) => ({
    ...requireKey(config),
    limits: { ...config.limits, maxRequestBytes: limit },
  }));
});
beforeEach(() => service.forgetRecords());
afterAll(() => service.stop());

const completeChat = "/dragoman.v1.ChatService/CompleteChat";
const streamChat = "/dragoman.v1.ChatService/StreamChat";
const listModels = "/dragoman.v1.ModelService/ListModels";

/** Methods that the wire protocol supports: Connect has separate protocols for unary methods and streams. */
const methodsOf = (wire: Wire): readonly string[] =>
  wire === "connect unary" ? [completeChat] : wire === "connect stream" ? [streamChat] : [completeChat, streamChat];

const withKey = { "x-api-key": "right" };

/** Returns the records since `from`. Makes one more call first, so that every earlier record is complete. */
async function recordsSoFar(from: number) {
  await service.chatClient("grpc").completeChat({ chat: scriptEcho({ text: "hi" }) }, { headers: withKey });
  const records = service.records.slice(from);
  expect(records.at(-1)).toMatchObject({ outcome: "ok" });
  return records.slice(0, -1);
}

interface Rejection {
  readonly reason: string;
  readonly code: Code;
  /** Returns the body and its headers. Undefined: the protocol does not have this case. */
  readonly call: (wire: Wire) => Omit<RawCall, "path"> | undefined;
}

/** Encodes a message for a wire protocol. Connect's unary calls have no frame and declare compression in a header. */
function body(wire: Wire, message: Uint8Array, encoding?: string): Omit<RawCall, "path"> {
  const framed = wire === "connect unary" ? message : frame(message, encoding === undefined ? 0 : 1);
  return { body: framed, headers: encoding === undefined ? {} : { [wireFacts[wire].encoding]: encoding } };
}

const message = toBinary(
  CompleteChatRequestSchema,
  create(CompleteChatRequestSchema, { chat: scriptEcho({ text: "hi" }) }),
);
const notProtobuf = Buffer.from([0xff, 0xff, 0xff]);

const rejections: Readonly<Record<string, Rejection>> = {
  "a body that is not the method's message": {
    reason: "INVALID_REQUEST",
    code: Code.InvalidArgument,
    call: (wire) => body(wire, notProtobuf),
  },
  "a body that is too large": {
    reason: "REQUEST_TOO_LARGE",
    code: Code.ResourceExhausted,
    call: (wire) => body(wire, Buffer.alloc(2 * limit)),
  },
  "a body that is too large after decompression": {
    reason: "REQUEST_TOO_LARGE",
    code: Code.ResourceExhausted,
    call: (wire) => body(wire, gzipSync(Buffer.alloc(2 * limit)), "gzip"),
  },
  "an unsupported compression": {
    reason: "UNSUPPORTED_ENCODING",
    code: Code.Unimplemented,
    call: (wire) => body(wire, message, "snappy"),
  },
  "a body that is not compressed as declared": {
    reason: "INVALID_REQUEST",
    code: Code.InvalidArgument,
    call: (wire) => body(wire, message, "gzip"),
  },
  "a second message": {
    reason: "INVALID_REQUEST",
    code: Code.Unimplemented,
    call: (wire) => (wire === "connect unary" ? undefined : { body: Buffer.concat([frame(message), frame(message)]) }),
  },
  "no message": {
    reason: "INVALID_REQUEST",
    code: Code.Unimplemented,
    // Over Connect's unary protocol an empty body is an empty message.
    call: (wire) => (wire === "connect unary" ? undefined : { body: Buffer.alloc(0) }),
  },
  "an invalid frame": {
    reason: "REQUEST_TOO_LARGE",
    code: Code.ResourceExhausted,
    // The bytes of the length decode to more than a gigabyte.
    call: (wire) => (wire === "connect unary" ? undefined : { body: Buffer.from("\0GARBAGE") }),
  },
  "a malformed timeout": {
    reason: "INVALID_REQUEST",
    code: Code.InvalidArgument,
    call: (wire) => ({ ...body(wire, message), headers: { [wireFacts[wire].timeout]: "soon" } }),
  },
};

const cases = wires.flatMap((wire) =>
  Object.entries(rejections).flatMap(([name, { call, ...expected }]) => {
    const sent = call(wire);
    return sent ? methodsOf(wire).map((path) => ({ wire, name, path, sent, ...expected })) : [];
  }),
);

describe("a request that does not reach its method", () => {
  it.each(cases)("rejects $name with ErrorInfo and one record, over $wire ($path)", async ({
    wire,
    path,
    sent,
    code,
    reason,
  }) => {
    const from = service.records.length;
    const headers = { ...withKey, ...sent.headers };
    const ending = await callRaw(wire, service, { path, body: sent.body, headers });
    expect(ending).toMatchObject({ code, info: { reason, domain: "dragoman" } });
    const records = await recordsSoFar(from);
    expect(records).toMatchObject([
      {
        outcome: "refused",
        reason,
        method: path.slice(path.lastIndexOf("/") + 1),
        protocol: wireFacts[wire].protocol,
        keyId: "team-a",
        attempts: [],
      },
    ]);
    expect(records[0]?.durationMs).toBeGreaterThanOrEqual(0);
    expect(ending.info?.metadata.request_id).toBe(records[0]?.requestId);
  });

  it.each(wires)("rejects an invalid key before an oversized body, with one record, over %s", async (wire) => {
    const from = service.records.length;
    const headers = { "x-api-key": "wrong" };
    const [path = ""] = methodsOf(wire);
    const sent = body(wire, Buffer.alloc(2 * limit));
    const ending = await callRaw(wire, service, { path, body: sent.body, headers });
    expect(ending).toMatchObject({ code: Code.Unauthenticated, info: { reason: "CREDENTIALS_INVALID" } });
    expect(await recordsSoFar(from)).toMatchObject([{ reason: "CREDENTIALS_INVALID" }]);
  });

  it.each([
    "grpc",
    "connect unary",
    "grpc-web",
  ] as const)("writes one record for an invalid ListModels request, over %s", async (wire) => {
    const from = service.records.length;
    for (const bytes of [notProtobuf, Buffer.alloc(2 * limit)]) {
      const sent = body(wire, bytes);
      const ending = await callRaw(wire, service, { path: listModels, body: sent.body, headers: withKey });
      expect(ending.info?.domain).toBe("dragoman");
    }
    expect(await recordsSoFar(from)).toMatchObject([
      { method: "ListModels", reason: "INVALID_REQUEST" },
      { method: "ListModels", reason: "REQUEST_TOO_LARGE" },
    ]);
  });
});

describe("an unknown method, service or page", () => {
  it.each(
    wires.flatMap((wire) =>
      ["/dragoman.v1.ChatService/Complete%20Chat", "/dragoman.v9.ChatService/CompleteChat"].map((path) => ({
        wire,
        path,
      })),
    ),
  )("rejects an unknown method with ErrorInfo and one record: $path over $wire", async ({ wire, path }) => {
    const from = service.records.length;
    const ending = await callRaw(wire, service, { path, body: frame(message), headers: withKey });
    expect(ending).toMatchObject({
      code: Code.Unimplemented,
      info: { reason: "METHOD_NOT_FOUND", domain: "dragoman" },
      message: expect.stringContaining(path),
    });
    expect(await recordsSoFar(from)).toMatchObject([{ method: "unknown", reason: "METHOD_NOT_FOUND" }]);
  });

  it("rejects a health check of an unknown service with ErrorInfo", async () => {
    const name = Buffer.from("no.such.Service");
    const check = Buffer.concat([Buffer.from([0x0a, name.length]), name]);
    const ending = await callRaw("grpc", service, { path: "/grpc.health.v1.Health/Check", body: frame(check) });
    expect(ending).toMatchObject({ code: Code.NotFound, info: { reason: "SERVICE_NOT_FOUND" } });
  });

  it.each([
    ["POST", completeChat, 415, "send content-type: application/json, and the request as JSON"],
    ["POST", streamChat, 415, "a stream needs a gRPC, gRPC-Web or Connect client"],
    ["GET", completeChat, 405, "send POST with content-type: application/json"],
  ])("explains a %s of %s with %i", async (method, path, status, text) => {
    const body = method === "POST" ? { body: "{}", headers: { "content-type": "text/plain" } } : {};
    const response = await fetch(`http://${service.httpAddress}${path}`, { method, ...body });
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(text);
  });

  it("responds with 404 to a GET of an unknown page", async () => {
    const response = await fetch(`http://${service.httpAddress}/favicon.ico`);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("/healthz");
  });
});

describe("a call whose deadline passes", () => {
  it("returns ErrorInfo and writes one record for a deadline during the response", async () => {
    const from = service.records.length;
    const stalled = create(CompleteChatRequestSchema, { chat: scriptEcho({ text: "words", stall: { after: 1 } }) });
    const ending = await callRaw("grpc", service, {
      path: streamChat,
      body: frame(toBinary(CompleteChatRequestSchema, stalled)),
      headers: { ...withKey, "grpc-timeout": "100m" },
    });
    expect(ending).toMatchObject({ code: Code.DeadlineExceeded, info: { reason: "DEADLINE_EXCEEDED" } });
    const records = await recordsSoFar(from);
    expect(records).toMatchObject([{ outcome: "deadline_exceeded", reason: "DEADLINE_EXCEEDED", keyId: "team-a" }]);
    expect(ending.info?.metadata.request_id).toBe(records[0]?.requestId);
  });

  it("returns ErrorInfo and writes one record for a deadline during the request", async () => {
    const from = service.records.length;
    const headers = { ...withKey, "grpc-timeout": "20m" };
    const opened = openGrpc(service.grpcAddress, { path: completeChat, headers });
    opened.stream.write(frame(message).subarray(0, 7));
    expect(await endingOfGrpc(opened)).toMatchObject({
      code: Code.DeadlineExceeded,
      info: { reason: "DEADLINE_EXCEEDED" },
    });
    expect(await recordsSoFar(from)).toMatchObject([
      { outcome: "deadline_exceeded", method: "CompleteChat", keyId: "team-a" },
    ]);
  });
});

describe("a client that disconnects during the request", () => {
  it("writes one record if the client disconnects during the request, over gRPC", async () => {
    const from = service.records.length;
    const { session, stream } = openGrpc(service.grpcAddress, { path: streamChat, headers: withKey });
    stream.write(frame(message).subarray(0, 7));
    await once(session, "connect");
    // The service reads frames in order: once it acknowledges the ping, it has seen the call.
    await new Promise((resolve) => session.ping(resolve));
    session.destroy();
    const cancelled = { outcome: "cancelled", reason: "CANCELLED", method: "StreamChat", keyId: "team-a" };
    expect(await service.nextRecord()).toMatchObject(cancelled);
    expect(await recordsSoFar(from)).toHaveLength(1);
  });

  it.each([
    ["connect unary", completeChat],
    ["connect stream", streamChat],
    ["grpc-web", streamChat],
  ] as const)("writes one record if the client disconnects during the request, over %s", async (wire, path) => {
    const from = service.records.length;
    const { contentType, protocol } = wireFacts[wire];
    const request = httpRequest(`http://${service.httpAddress}${path}`, {
      method: "POST",
      headers: { ...withKey, "content-type": contentType, "content-length": 1000, expect: "100-continue" },
    });
    request.on("error", () => {});
    request.flushHeaders();
    await once(request, "continue");
    request.destroy();
    expect(await service.nextRecord()).toMatchObject({ outcome: "cancelled", reason: "CANCELLED", protocol });
    expect(await recordsSoFar(from)).toHaveLength(1);
  });
});

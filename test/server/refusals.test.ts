import { createHash } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CompleteChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { scriptEcho } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { callRaw, endingOfGrpc, frame, openGrpc, type RawCall, type Wire, wireFacts, wires } from "./raw-calls.ts";

const limit = 100_000;

let service: TestService;
beforeAll(async () => {
  service = await startTestService({}, (config) => ({
    ...config,
    authentication: {
      ...config.authentication,
      mode: "keys",
      keys: [
        {
          id: "team-a",
          sha256: createHash("sha256").update("right").digest(),
          accounts: [],
          defaultAccount: undefined,
        },
      ],
    },
    limits: { ...config.limits, maxRequestBytes: limit },
  }));
});
beforeEach(() => service.forgetRecords());
afterAll(() => service.stop());

const completeChat = "/dragoman.v1.ChatService/CompleteChat";
const streamChat = "/dragoman.v1.ChatService/StreamChat";
const listModels = "/dragoman.v1.ModelService/ListModels";

/** A unary method over Connect's unary protocol, a stream over its streaming one; either over the others. */
const methodsOf = (wire: Wire): readonly string[] =>
  wire === "connect unary" ? [completeChat] : wire === "connect stream" ? [streamChat] : [completeChat, streamChat];

const withKey = { "x-api-key": "right" };

/** The records of everything that happened so far: an answered call after it shows that no other follows. */
async function recordsSoFar(from: number) {
  await service.chatClient("grpc").completeChat({ chat: scriptEcho({ text: "hi" }) }, { headers: withKey });
  const records = service.records.slice(from);
  expect(records.at(-1)).toMatchObject({ outcome: "ok" });
  return records.slice(0, -1);
}

interface Refusal {
  readonly reason: string;
  readonly code: Code;
  /** The body, and the headers that belong to it. Undefined where the protocol has no such thing. */
  readonly call: (wire: Wire) => Omit<RawCall, "path"> | undefined;
}

/** In the frame of the wire; Connect's unary calls have none, and say in the headers whether they are compressed. */
function body(wire: Wire, message: Uint8Array, encoding?: string): Omit<RawCall, "path"> {
  const framed = wire === "connect unary" ? message : frame(message, encoding === undefined ? 0 : 1);
  return { body: framed, headers: encoding === undefined ? {} : { [wireFacts[wire].encoding]: encoding } };
}

const message = toBinary(
  CompleteChatRequestSchema,
  create(CompleteChatRequestSchema, { chat: scriptEcho({ text: "hi" }) }),
);
const notProtobuf = Buffer.from([0xff, 0xff, 0xff]);

const refusals: Readonly<Record<string, Refusal>> = {
  "is no message of its method": {
    reason: "INVALID_REQUEST",
    code: Code.InvalidArgument,
    call: (wire) => body(wire, notProtobuf),
  },
  "is too large": {
    reason: "REQUEST_TOO_LARGE",
    code: Code.ResourceExhausted,
    call: (wire) => body(wire, Buffer.alloc(2 * limit)),
  },
  "is too large once it is decompressed": {
    reason: "REQUEST_TOO_LARGE",
    code: Code.ResourceExhausted,
    call: (wire) => body(wire, gzipSync(Buffer.alloc(2 * limit)), "gzip"),
  },
  "is compressed in a way that is not known here": {
    reason: "UNSUPPORTED_ENCODING",
    code: Code.Unimplemented,
    call: (wire) => body(wire, message, "snappy"),
  },
  "says that it is compressed and is not": {
    reason: "INVALID_REQUEST",
    code: Code.InvalidArgument,
    call: (wire) => body(wire, message, "gzip"),
  },
  "is followed by another": {
    reason: "UNSUPPORTED_ENCODING",
    code: Code.Unimplemented,
    call: (wire) => (wire === "connect unary" ? undefined : { body: Buffer.concat([frame(message), frame(message)]) }),
  },
  "is missing": {
    reason: "UNSUPPORTED_ENCODING",
    code: Code.Unimplemented,
    // Over Connect's unary protocol an empty body is an empty message.
    call: (wire) => (wire === "connect unary" ? undefined : { body: Buffer.alloc(0) }),
  },
  "has garbage where its frame should be": {
    reason: "REQUEST_TOO_LARGE",
    code: Code.ResourceExhausted,
    // What stands for the length is more than a gigabyte.
    call: (wire) => (wire === "connect unary" ? undefined : { body: Buffer.from("\0GARBAGE") }),
  },
  "comes with a deadline that is none": {
    reason: "INVALID_REQUEST",
    code: Code.InvalidArgument,
    call: (wire) => ({ ...body(wire, message), headers: { [wireFacts[wire].timeout]: "soon" } }),
  },
};

const cases = wires.flatMap((wire) =>
  Object.entries(refusals).flatMap(([name, { call, ...expected }]) => {
    const sent = call(wire);
    return sent ? methodsOf(wire).map((path) => ({ wire, name, path, sent, ...expected })) : [];
  }),
);

describe("a request that does not reach its method", () => {
  it.each(cases)("$name: an ErrorInfo and one record, over $wire ($path)", async ({
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
        outcome: "error",
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

  it.each(wires)("is rejected for its key first, and recorded once for that, over %s", async (wire) => {
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
  ] as const)("has one record when it only looks up, over %s", async (wire) => {
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

describe("a call of what does not exist", () => {
  it.each(
    wires.flatMap((wire) =>
      ["/dragoman.v1.ChatService/Complete%20Chat", "/dragoman.v9.ChatService/CompleteChat"].map((path) => ({
        wire,
        path,
      })),
    ),
  )("has an ErrorInfo and no record: $path over $wire", async ({ wire, path }) => {
    const from = service.records.length;
    const ending = await callRaw(wire, service, { path, body: frame(message), headers: withKey });
    expect(ending).toMatchObject({
      code: Code.Unimplemented,
      info: { reason: "METHOD_NOT_FOUND", domain: "dragoman" },
      message: expect.stringContaining(path),
    });
    expect(await recordsSoFar(from)).toEqual([]);
  });

  it("has an ErrorInfo when its health is asked for", async () => {
    const name = Buffer.from("no.such.Service");
    const asked = Buffer.concat([Buffer.from([0x0a, name.length]), name]);
    const ending = await callRaw("grpc", service, { path: "/grpc.health.v1.Health/Check", body: frame(asked) });
    expect(ending).toMatchObject({ code: Code.NotFound, info: { reason: "SERVICE_NOT_FOUND" } });
  });

  it("is a page that is not found, for a browser", async () => {
    const response = await fetch(`http://${service.httpAddress}/favicon.ico`);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("/healthz");
  });
});

describe("a call whose deadline passes", () => {
  it("has an ErrorInfo and one record when its answer is not complete", async () => {
    const from = service.records.length;
    const stalled = create(CompleteChatRequestSchema, { chat: scriptEcho({ text: "words", stall: { after: 1 } }) });
    const ending = await callRaw("grpc", service, {
      path: streamChat,
      body: frame(toBinary(CompleteChatRequestSchema, stalled)),
      headers: { ...withKey, "grpc-timeout": "100m" },
    });
    expect(ending).toMatchObject({ code: Code.DeadlineExceeded, info: { reason: "DEADLINE_EXCEEDED" } });
    const records = await recordsSoFar(from);
    expect(records).toMatchObject([{ outcome: "deadline", reason: "DEADLINE_EXCEEDED", keyId: "team-a" }]);
    expect(ending.info?.metadata.request_id).toBe(records[0]?.requestId);
  });

  it("has an ErrorInfo and one record when its request is not complete", async () => {
    const from = service.records.length;
    const headers = { ...withKey, "grpc-timeout": "20m" };
    const opened = openGrpc(service.grpcAddress, { path: completeChat, headers });
    opened.stream.write(frame(message).subarray(0, 7));
    expect(await endingOfGrpc(opened)).toMatchObject({
      code: Code.DeadlineExceeded,
      info: { reason: "DEADLINE_EXCEEDED" },
    });
    expect(await recordsSoFar(from)).toMatchObject([{ outcome: "deadline", method: "CompleteChat", keyId: "team-a" }]);
  });
});

describe("a caller who goes away before the request is complete", () => {
  it("leaves one record over gRPC", async () => {
    const from = service.records.length;
    const { session, stream } = openGrpc(service.grpcAddress, { path: streamChat, headers: withKey });
    stream.write(frame(message).subarray(0, 7));
    await once(session, "connect");
    // Frames are read in order: once the ping is answered, the service knows of the call.
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
  ] as const)("leaves one record over %s", async (wire, path) => {
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

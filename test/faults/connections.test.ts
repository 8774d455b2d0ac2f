import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { create, fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { StreamChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.js";
import { startConfigured } from "../support/configured-process.ts";
import type { ServiceProcess } from "../support/process.ts";
import { openConnectStream } from "../support/raw-stream.ts";
import { scriptEcho } from "../support/requests.ts";

const limits = `limits:
  max_connections: 40
  max_connections_per_address: 8
  max_streams: 200
  max_streams_per_address: 40
  max_bytes_in_flight: 4MiB
`;

const fewStreams = "limits: { max_streams: 4, max_streams_per_address: 4 }";

let service: ServiceProcess;
let impatient: ServiceProcess;
beforeAll(async () => {
  [service, impatient] = await Promise.all([
    startConfigured(limits),
    startConfigured("limits: { max_request_duration: 300ms, max_bytes_in_flight: 4MiB }"),
  ]);
});
afterAll(() => Promise.all([service[Symbol.asyncDispose](), impatient[Symbol.asyncDispose]()]));

const open: { destroy(): void }[] = [];
afterEach(() => {
  for (const connection of open.splice(0)) connection.destroy();
});

// Each test has an address of its own, since the service notices closed connections of another test late.
const port = (address: string): number => Number(address.split(":")[1]);

/** Opens a TCP connection from a loopback address. */
async function openSocket(address: string, from = "127.0.0.1"): Promise<Socket> {
  const socket = connectTcp({ host: "127.0.0.1", port: port(address), localAddress: from });
  socket.on("error", () => {});
  open.push(socket);
  await once(socket, "connect");
  return socket;
}

/** Opens an HTTP/2 connection from a loopback address. */
async function openSession(from = "127.0.0.1", { grpcAddress } = service): Promise<ClientHttp2Session> {
  const socket = await openSocket(grpcAddress, from);
  const session = connect(`http://${grpcAddress}`, { createConnection: () => socket });
  session.on("error", () => {});
  return session;
}

function envelope(chat: ChatRequest): Buffer {
  const message = toBinary(StreamChatRequestSchema, create(StreamChatRequestSchema, { chat }));
  return Buffer.concat([prefix(message.length), message]);
}

function prefix(length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

function request(
  session: ClientHttp2Session,
  headers: Record<string, string> = {},
  path = "/dragoman.v1.ChatService/StreamChat",
): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc+proto",
    te: "trailers",
    ...headers,
  });
  stream.on("error", () => {});
  stream.resume();
  return stream;
}

/** Resolves to the status, the reason and the retry delay of a stream that fails before any output. */
async function failureOf(stream: ClientHttp2Stream) {
  const [fields] = await once(stream, "response");
  const { details } = fromBinary(StatusSchema, Buffer.from(String(fields["grpc-status-details-bin"]), "base64"));
  const detail = (name: string) => details.find(({ typeUrl }) => typeUrl.endsWith(`/google.rpc.${name}`));
  const [info, retry] = [detail("ErrorInfo"), detail("RetryInfo")];
  return {
    code: Number(fields["grpc-status"]),
    reason: info && fromBinary(ErrorInfoSchema, info.value).reason,
    retrySeconds: retry && Number(fromBinary(RetryInfoSchema, retry.value).retryDelay?.seconds),
  };
}

const overloaded = { code: 14, reason: "OVERLOADED", retrySeconds: 1 };
const late = { code: 4, reason: "DEADLINE_EXCEEDED" };
const stalled = (): Buffer => envelope(scriptEcho({ text: "a b", stall: { after: 1 } }));
const short = (): Buffer => envelope(scriptEcho({ text: "a b" }));

/** Resolves to the status of a stream. */
async function statusOf(stream: ClientHttp2Stream): Promise<number> {
  let code: unknown;
  const onFields = (fields: object): void => {
    code = Object.entries(fields).find(([name]) => name === "grpc-status")?.[1] ?? code;
  };
  stream.on("response", onFields).on("trailers", onFields);
  await once(stream, "close");
  return Number(code);
}

async function expectAnswer(session: ClientHttp2Session): Promise<void> {
  const stream = request(session);
  stream.end(short());
  expect(await statusOf(stream)).toBe(0);
}

describe.each([
  ["gRPC", () => service.grpcAddress],
  ["HTTP", () => service.httpAddress],
] as const)("the bound on connections of the %s listener", (_name, address) => {
  it("closes the longest idle connection of an address for a new one", async () => {
    const sockets: Socket[] = [];
    for (let index = 0; index < 8; index++) sockets.push(await openSocket(address()));
    const other = await openSocket(address(), "127.0.0.2");
    const closed = sockets.map((socket, index) => once(socket.resume(), "close").then(() => index));
    await openSocket(address());
    expect(await Promise.race(closed)).toBe(0);
    await openSocket(address());
    expect(await Promise.race(closed.slice(1))).toBe(1);
    expect(other.closed).toBe(false);
  });
});

describe("a listener whose connections are all in use", () => {
  it("closes a new connection of that address, serves others and reports it in the log", async () => {
    const sessions = await Promise.all(Array.from({ length: 8 }, () => openSession()));
    const streams = sessions.map((session) => request(session));
    for (const stream of streams) stream.end(stalled());
    await Promise.all(streams.map((stream) => once(stream, "response")));
    const refused = await openSocket(service.grpcAddress);
    await once(refused.resume(), "close");
    await expectAnswer(await openSession("127.0.0.2"));
    await service.logged("rejected because of overload");
    const rejections = service.log.filter(({ msg }) => msg === "rejected because of overload");
    expect(rejections).toMatchObject([{ reason: "OVERLOADED", bound: "connections of an address", count: 1 }]);
  });
});

describe("the bound on requests in progress", () => {
  it("rejects further calls of an address with OVERLOADED and serves other addresses", async () => {
    const session = await openSession("127.0.0.3");
    const streams = Array.from({ length: 40 }, () => request(session));
    for (const stream of streams) stream.end(stalled());
    await Promise.all(streams.map((stream) => once(stream, "response")));
    const further = request(session);
    further.end(short());
    expect(await failureOf(further)).toEqual(overloaded);
    await expectAnswer(await openSession("127.0.0.2"));
    streams[0]?.close();
    await expectAnswerSoon(session);
  });
});

describe("a health check while calls use the whole bound on requests in progress", () => {
  it("gets its answer over gRPC", async () => {
    await using small = await startConfigured(fewStreams);
    const session = await openSession("127.0.0.1", small);
    const streams = Array.from({ length: 4 }, () => request(session));
    for (const stream of streams) stream.end(stalled());
    await Promise.all(streams.map((stream) => once(stream, "response")));
    expect(await failureOf(request(session))).toEqual(overloaded);
    const check = request(session, {}, "/grpc.health.v1.Health/Check");
    check.end(prefix(0));
    expect(await statusOf(check)).toBe(0);
  });

  it("gets its answer over HTTP", async () => {
    await using small = await startConfigured(fewStreams);
    const chat = JSON.stringify({ chat: toJson(ChatRequestSchema, scriptEcho({ text: "a b", stall: { after: 1 } })) });
    const path = "/dragoman.v1.ChatService/CompleteChat";
    const send = async (head: string, body = ""): Promise<Socket> => {
      const socket = await openSocket(small.httpAddress);
      socket.write(`${head} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`);
      socket.write(`Content-Length: ${body.length}\r\n\r\n${body}`);
      return socket;
    };
    const statusLine = async (socket: Socket): Promise<string> => String((await once(socket, "data"))[0]).slice(0, 12);
    for (let call = 0; call < 4; call++) await send(`POST ${path}`, chat);
    await expect.poll(() => send(`POST ${path}`, "{}").then(statusLine)).toBe("HTTP/1.1 503");
    expect(await statusLine(await send("GET /healthz"))).toBe("HTTP/1.1 200");
  });
});

describe("silent calls from many addresses", () => {
  it("make room for others: the oldest is refused, which its record says", async () => {
    const addresses = ["127.0.0.10", "127.0.0.11", "127.0.0.12", "127.0.0.13", "127.0.0.14", "127.0.0.15"];
    const sessions = await Promise.all(addresses.map((address) => openSession(address)));
    const streams = sessions.flatMap((session) => Array.from({ length: 40 }, () => request(session)));
    const refused = (stream: ClientHttp2Stream): Promise<number> =>
      new Promise((resolve) => stream.once("close", () => resolve(stream.rstCode ?? 0)));
    // 240 streams, of which 200 have a place.
    expect(await Promise.race(streams.map(refused))).toBe(constants.NGHTTP2_REFUSED_STREAM);
    await expectAnswer(await openSession("127.0.0.2"));
    // The service writes its log in chunks, the last one after 100 ms.
    await vi.waitFor(() => {
      const record = service.log.find(({ msg, reason }) => msg === "call" && reason === "OVERLOADED");
      expect(record).toMatchObject({ outcome: "refused", method: "StreamChat" });
    });
  });
});

describe("a silent HTTP request", () => {
  it("makes room for another, which its record says", async () => {
    await using small = await startConfigured("limits: { max_streams: 2 }");
    const silent = await openSocket(small.httpAddress);
    silent.write(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
    );
    await once(silent, "data");
    const closed = once(silent, "close");
    const held = await openConnectStream(small.httpAddress, scriptEcho({ text: "a b", stall: { after: 1 } }));
    expect((await fetch(`http://${small.httpAddress}/v1/models`)).status).toBe(200);
    await closed;
    await small.logged("rejected because of overload");
    const records = small.log.filter(({ msg, reason }) => msg === "call" && reason === "OVERLOADED");
    expect(records).toMatchObject([{ outcome: "refused", protocol: "http" }]);
    held.destroy();
  });
});

/** Waits until the service has noticed that another stream was closed. */
async function expectAnswerSoon(session: ClientHttp2Session): Promise<void> {
  for (;;) {
    const stream = request(session);
    stream.end(short());
    const code = await statusOf(stream);
    if (code === 0) return;
    expect(code).toBe(overloaded.code);
  }
}

describe("a request that does not become complete", () => {
  it.each([
    ["no byte", []],
    ["a part of its message", [prefix(1_000_000), Buffer.alloc(1000)]],
    ["its message without the end of the stream", [short()]],
  ])("fails with DEADLINE_EXCEEDED over gRPC if the client sends %s", async (_name, parts) => {
    const stream = request(await openSession("127.0.0.1", impatient));
    for (const part of parts) stream.write(part);
    expect(await failureOf(stream)).toMatchObject(late);
  });

  it.each([
    ["an HTTP API", "/v1/chat/completions", "application/json"],
    ["Connect", "/dragoman.v1.ChatService/CompleteChat", "application/json"],
    ["binary Connect", "/dragoman.v1.ChatService/CompleteChat", "application/proto"],
    ["a Connect stream", "/dragoman.v1.ChatService/StreamChat", "application/connect+json"],
    ["gRPC-Web", "/dragoman.v1.ChatService/CompleteChat", "application/grpc-web+proto"],
  ])("fails with DEADLINE_EXCEEDED over %s", async (_name, path, type) => {
    const socket = await openSocket(impatient.httpAddress);
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: 1000\r\n\r\n{"`;
    socket.write(head);
    let answer = "";
    while (!/DEADLINE_EXCEEDED|deadline_exceeded|grpc-status: 4|was not complete after 0.3 s/.test(answer)) {
      const [chunk] = await once(socket, "data");
      answer += chunk;
    }
    expect(answer).toMatch(/^HTTP\/1\.1 (200|408|504) /);
  });

  it("closes an HTTP connection whose headers do not become complete", async () => {
    const socket = await openSocket(impatient.httpAddress);
    socket.write("GET /healthz HTTP/1.1\r\nHost: loc");
    await once(socket.resume(), "close");
  });

  it("records each such call once", () => {
    const calls = impatient.log.filter(({ msg, outcome }) => msg === "call" && outcome === "deadline_exceeded");
    expect(calls).toHaveLength(8);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(8);
  });
});

describe("the bound on bytes in flight", () => {
  it("rejects the requests that exceed it with OVERLOADED and still serves small ones", async () => {
    const session = await openSession("127.0.0.1", impatient);
    const streams = Array.from({ length: 8 }, () => request(session));
    const failures = streams.map(failureOf);
    for (const stream of streams) stream.write(Buffer.concat([prefix(16_000_000), Buffer.alloc(1024 * 1024)]));
    expect(await Promise.race(failures)).toEqual(overloaded);
    await expectAnswer(await openSession("127.0.0.1", impatient));
    // The others fail when their time is over, and give their bytes back.
    const reasons = (await Promise.all(failures)).map(({ reason }) => reason);
    expect(new Set(reasons)).toEqual(new Set(["OVERLOADED", "DEADLINE_EXCEEDED"]));
    const later = request(session);
    later.write(Buffer.concat([prefix(3_000_000), Buffer.alloc(2_000_000)]));
    expect(await failureOf(later)).toMatchObject(late);
  });
});

describe("a compressed message whose request does not end", () => {
  it("counts with its decompressed size", async () => {
    const session = await openSession("127.0.0.1", impatient);
    const streams = Array.from({ length: 8 }, () => request(session, { "grpc-encoding": "gzip" }));
    const failures = streams.map(failureOf);
    const compressed = gzipSync(Buffer.alloc(1_500_000));
    for (const stream of streams)
      stream.write(Buffer.concat([Buffer.from([1]), prefix(compressed.length).subarray(1), compressed]));
    const reasons = (await Promise.all(failures)).map(({ reason }) => reason);
    expect(new Set(reasons)).toEqual(new Set(["OVERLOADED", "DEADLINE_EXCEEDED"]));
  });
});

describe("a health check, which needs no key", () => {
  it.each([
    ["as it is", 0, Buffer.alloc(8000)],
    ["compressed", 1, gzipSync(Buffer.alloc(8000))],
  ])("is rejected if it is too large, %s", async (_name, flags, message) => {
    const path = "/grpc.health.v1.Health/Check";
    const stream = request(await openSession("127.0.0.6"), flags ? { "grpc-encoding": "gzip" } : {}, path);
    const code = statusOf(stream).catch(() => stream.rstCode);
    stream.write(Buffer.concat([Buffer.from([flags]), prefix(message.length).subarray(1), message]));
    expect([8, constants.NGHTTP2_ENHANCE_YOUR_CALM]).toContain(await code);
  });
});

describe("a client that cancels many calls on one connection", () => {
  it("keeps the connection", async () => {
    const session = await openSession("127.0.0.5", impatient);
    const beside = request(session);
    beside.end(stalled());
    await once(beside, "response");
    for (let round = 0; round < 50; round++) {
      const streams = Array.from({ length: 30 }, () => request(session));
      await Promise.all(
        streams.map((stream) => {
          stream.end(stalled());
          return once(stream, "response");
        }),
      );
      for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
      await Promise.all(
        streams.map((stream) => stream.closed || new Promise((resolve) => stream.once("close", resolve))),
      );
    }
    expect(beside.closed).toBe(false);
    await expectAnswer(session);
  });
});

describe("request headers", () => {
  it("may be many, if they are not too large together", async () => {
    const fields = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x-${index}`, "1"]));
    const stream = request(await openSession("127.0.0.4"), fields);
    stream.end(short());
    expect(await statusOf(stream)).toBe(0);
  });

  it("reset their own call only if they are too large, and the client learns the limit", async () => {
    const session = await openSession("127.0.0.4");
    const beside = request(session);
    beside.write(stalled());
    beside.end();
    await once(beside, "response");
    expect(session.remoteSettings.maxHeaderListSize).toBe(32 * 1024);
    const large = request(session, { "x-large": "~".repeat(40_000) });
    await new Promise((resolve) => large.once("close", resolve));
    expect(large.rstCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(beside.closed).toBe(false);
    await expectAnswer(session);
  });
});

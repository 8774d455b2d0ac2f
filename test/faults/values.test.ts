import { readFileSync } from "node:fs";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { CompleteChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ServerReflectionRequestSchema } from "../../src/gen/grpc/reflection/v1/reflection_pb.js";
import { callRaw, frame, type Wire, wireFacts, wires } from "../server/raw-calls.ts";
import { startConfigured } from "../support/configured-process.ts";
import { type ServiceProcess, startProcess } from "../support/process.ts";
import { ask, scriptEcho } from "../support/requests.ts";

let service: ServiceProcess;
beforeAll(async () => {
  service = await startProcess();
});
afterAll(() => service[Symbol.asyncDispose]());

/** Gzip of 512 MiB. The maximum size of a request is 16 MiB. */
const hugeGzip = gzipSync(Buffer.alloc(512 * 2 ** 20), { level: 1 });

const millions = 4_000_000;

/** Encodes a length-delimited field. */
function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return Buffer.from([...bytes, rest]);
}

const repeated = (content: Uint8Array, times = millions) => Buffer.alloc(content.length * times, content);
const empty = (number: number) => field(number, Buffer.alloc(0));

/** A CompleteChatRequest whose `chat` has these bytes. */
const chatOf = (bytes: Uint8Array) => field(1, bytes);

/** Requests that a few kilobytes of gzip hold. Field numbers are those of ChatRequest. */
const floods: Readonly<Record<string, () => Uint8Array>> = {
  messages: () => chatOf(repeated(empty(2))),
  parts: () => chatOf(field(2, repeated(empty(2)))),
  tools: () => chatOf(repeated(empty(4))),
  "values of a Struct": () => chatOf(field(12, field(1, field(2, field(6, repeated(empty(1))))))),
  "entries of a Struct": () => chatOf(field(12, repeated(empty(1)))),
  "keys of one map entry": () => chatOf(field(19, repeated(empty(1)))),
  "unknown fields": () => repeated(Buffer.from([0x78, 0])),
  "unknown fields of the chat": () => chatOf(repeated(empty(2000), 2_000_000)),
  "unknown groups": () => repeated(Buffer.from([0x7b, 0x7c])),
};

/** Sends a compressed request to CompleteChat or StreamChat, whichever the protocol allows. */
function sendCompressed(wire: Wire, compressed: Uint8Array, encoding = "gzip") {
  const headers = { [wireFacts[wire].encoding]: encoding };
  const isWhole = wire === "connect unary";
  const path = `/dragoman.v1.ChatService/${wire === "connect stream" ? "StreamChat" : "CompleteChat"}`;
  return callRaw(wire, service, { path, headers, body: isWhole ? compressed : frame(compressed, 1) });
}

function send(wire: Wire, message: Uint8Array, to = service) {
  const path = `/dragoman.v1.ChatService/${wire === "connect stream" ? "StreamChat" : "CompleteChat"}`;
  return callRaw(wire, to, { path, body: wire === "connect unary" ? message : frame(message) });
}

/** Highest memory of the process so far, in MiB. */
function peakMemory(): number {
  const [, kibibytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${service.child.pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) / 1024;
}

describe.each(wires)("over %s", (wire) => {
  it.each(Object.keys(floods))("rejects a small compressed request with millions of values: %s", async (name) => {
    const { code, info } = await sendCompressed(wire, gzipSync(floods[name]?.() ?? Buffer.alloc(0)));
    expect(code).toBe(Code.ResourceExhausted);
    expect(info?.reason).toBe("REQUEST_TOO_LARGE");
  });

  it("rejects an uncompressed request with millions of values", async () => {
    const { info, message } = await send(wire, chatOf(repeated(empty(2))));
    expect(info?.reason).toBe("REQUEST_TOO_LARGE");
    expect(message).toMatch("more than 250000 values");
  });

  it("rejects more than 128 levels of messages and of unknown groups", async () => {
    let value = field(3, Buffer.from("x"));
    for (let level = 0; level < 128; level++) value = field(6, field(1, value));
    const groups = Buffer.concat([Buffer.alloc(128, 0x7b), Buffer.alloc(128, 0x7c)]);
    for (const message of [chatOf(field(12, field(1, field(2, value)))), groups]) {
      const { info, message: text } = await send(wire, message);
      expect(info?.reason).toBe("INVALID_REQUEST");
      expect(text).toMatch("must not nest more than 128 levels deep");
    }
  });

  it("rejects a field with the wire type of another", async () => {
    const { info } = await send(wire, Buffer.from([0x08, 0x01]));
    expect(info?.reason).toBe("INVALID_REQUEST");
  });

  it("stops decompression at the maximum size of a request", async () => {
    const before = peakMemory();
    const { info } = await sendCompressed(wire, hugeGzip);
    expect(info?.reason).toBe("REQUEST_TOO_LARGE");
    expect(peakMemory() - before).toBeLessThan(256);
  });
});

it.each([
  ["deflate", "grpc", deflateSync],
  ["br", "connect unary", brotliCompressSync],
  ["br", "connect stream", brotliCompressSync],
  ["br", "grpc-web", brotliCompressSync],
] as const)("rejects millions of values with encoding %s over %s", async (encoding, wire, compress) => {
  const message = floods.parts?.() ?? Buffer.alloc(0);
  const { info } = await sendCompressed(wire, compress(message), encoding);
  expect(info?.reason).toBe("REQUEST_TOO_LARGE");
});

describe("with another maximum in limits.max_values", () => {
  const unknown = Buffer.from([0x78, 0]);
  const encoded = (chat: ChatRequest) =>
    toBinary(CompleteChatRequestSchema, create(CompleteChatRequestSchema, { chat }));
  /** A request with this many unknown fields. Its model is unknown, which Dragoman finds after it has decoded it. */
  const padded = (times: number) => Buffer.concat([encoded(ask("nowhere", "hi")), repeated(unknown, times)]);
  const schemaJson = JSON.stringify({ enum: Array.from({ length: 1000 }, () => 0) });
  const zeros = `[${"0,".repeat(999)}0]`;

  it("accepts requests up to it and rejects larger ones, over every protocol", async () => {
    await using small = await startConfigured("limits: { max_values: 1000 }");
    const maximum = /more than 1000 (JSON )?values, the maximum of limits\.max_values/;
    for (const wire of wires) {
      expect((await send(wire, padded(900), small)).info?.reason).toBe("MODEL_NOT_FOUND");
      const { info, message } = await send(wire, padded(1000), small);
      expect(info?.reason).toBe("REQUEST_TOO_LARGE");
      expect(message).toMatch(maximum);
    }
    for (const path of ["/dragoman.v1.ChatService/CompleteChat", "/v1/chat/completions"]) {
      const headers = { "content-type": "application/json" };
      const response = await fetch(`http://${small.httpAddress}${path}`, { method: "POST", headers, body: zeros });
      expect(await response.text()).toMatch(maximum);
    }
  });

  it("holds for JSON text inside a request", async () => {
    await using small = await startConfigured("limits: { max_values: 1000 }");
    const outputFormat = { format: { case: "jsonSchema", value: { name: "a", schemaJson, strict: true } } } as const;
    const chat = ask("echo/echo", "hi", { outputFormat });
    const { info, message } = await send("grpc", encoded(chat), small);
    expect(info?.reason).toBe("INVALID_REQUEST");
    expect(message).toMatch("more than 1000 values, the maximum of limits.max_values");
  });

  it("accepts more values than by default if it is higher", async () => {
    await using large = await startConfigured("limits: { max_values: 300000 }");
    for (const wire of wires) {
      expect((await send(wire, padded(260_000))).info?.reason).toBe("REQUEST_TOO_LARGE");
      expect((await send(wire, padded(260_000), large)).info?.reason).toBe("MODEL_NOT_FOUND");
    }
  });
});

it("rejects millions of values in a reflection request, which needs no API key", async () => {
  const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  const flood = Buffer.concat([
    toBinary(ServerReflectionRequestSchema, create(ServerReflectionRequestSchema, { host: "x" })),
    repeated(Buffer.from([0x78, 0])),
  ]);
  const headers = { "grpc-encoding": "gzip" };
  const { code } = await callRaw("grpc", service, { path, headers, body: frame(gzipSync(flood), 1) });
  expect(code).toBe(Code.ResourceExhausted);
});

it("ignores unknown fields of an ordinary request", async () => {
  const chat = scriptEcho({ text: "hello" });
  const body = Buffer.concat([
    toBinary(CompleteChatRequestSchema, create(CompleteChatRequestSchema, { chat })),
    Buffer.from([0x78, 0, 0x7b, 0x7c]),
  ]);
  const headers = { "content-type": "application/proto" };
  const url = `http://${service.httpAddress}/dragoman.v1.ChatService/CompleteChat`;
  const response = await fetch(url, { method: "POST", headers, body });
  expect(response.status).toBe(200);
  expect(await response.text()).toMatch("hello");
});

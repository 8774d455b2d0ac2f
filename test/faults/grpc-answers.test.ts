import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CompleteChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { callRaw, frame, openGrpc, type Wire } from "../server/raw-calls.ts";
import { type ServiceProcess, startProcess } from "../support/process.ts";
import { ask, scriptEcho } from "../support/requests.ts";

let service: ServiceProcess;
beforeAll(async () => {
  service = await startProcess();
});
afterAll(() => service[Symbol.asyncDispose]());

const complete = "/dragoman.v1.ChatService/CompleteChat";
const stream = "/dragoman.v1.ChatService/StreamChat";
const models = "/dragoman.v1.ModelService/ListModels";

/** Encodes a chat request. The requests of both chat methods have the same fields. */
function encoded(chat = scriptEcho({ text: "hi" })): Buffer {
  return frame(toBinary(CompleteChatRequestSchema, create(CompleteChatRequestSchema, { chat })));
}

interface Answer {
  readonly headers: IncomingHttpHeaders;
  /** Undefined if the headers have the status (Trailers-Only). */
  readonly trailers: IncomingHttpHeaders | undefined;
}

async function answerTo(path: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
  const { session, stream: call } = openGrpc(service.grpcAddress, { path, headers });
  let trailers: IncomingHttpHeaders | undefined;
  call.once("trailers", (fields) => {
    trailers = fields;
  });
  call.end(body);
  const [received] = await once(call, "response");
  call.resume();
  await once(call, "end");
  session.destroy();
  return { headers: received, trailers };
}

it.each([
  ["CompleteChat", complete, encoded()],
  ["StreamChat", stream, encoded()],
  ["ListModels", models, frame(new Uint8Array())],
])("a gRPC success has its request id in the headers, and no message: %s", async (_, path, body) => {
  const { headers, trailers } = await answerTo(path, body, { "x-request-id": "call-1" });
  expect(headers["x-request-id"]).toBe("call-1");
  expect(trailers).toMatchObject({ "grpc-status": "0" });
  expect(trailers).not.toHaveProperty("grpc-message");
});

it("a health check has no message either", async () => {
  const { trailers } = await answerTo("/grpc.health.v1.Health/Check", frame(new Uint8Array()));
  expect(trailers).toMatchObject({ "grpc-status": "0" });
  expect(trailers).not.toHaveProperty("grpc-message");
});

it.each([
  ["an unknown model", encoded(ask("nobody/none", "")), {}],
  ["an unknown model with a longer name", encoded(ask("nobody/nones", "")), {}],
  ["an unknown model with the longest name", encoded(ask("nobody/nonest", "")), {}],
  ["a malformed message", frame(Buffer.from([0xff])), {}],
  ["no message", Buffer.alloc(0), {}],
  ["a malformed timeout", encoded(), { "grpc-timeout": "soon" }],
  ["a deadline that passes", encoded(scriptEcho({ text: "hi", delay_ms: 60_000 })), { "grpc-timeout": "1m" }],
])("a gRPC failure has its request id and unpadded details in the trailers: %s", async (_, body, more) => {
  for (const path of [complete, stream]) {
    const { headers, trailers } = await answerTo(path, body, { "x-request-id": "call-2", ...more });
    expect(trailers).toBeUndefined();
    expect(headers["x-request-id"]).toBe("call-2");
    expect(headers["grpc-status-details-bin"]).toMatch(/^[A-Za-z0-9+/]+$/);
  }
});

const wires: readonly Wire[] = ["grpc", "grpc-web", "connect stream"];
const one = encoded();

it.each(
  wires.flatMap((wire) => [
    [wire, "no message", Buffer.alloc(0), Code.Unimplemented, "no complete message"] as const,
    [wire, "a second message", Buffer.concat([one, one]), Code.Unimplemented, "more than one message"] as const,
  ]),
)("%s: a request with %s is INVALID_REQUEST, in Dragoman's words", async (wire, _, body, code, words) => {
  const ending = await callRaw(wire, service, { path: stream, body });
  expect(ending).toMatchObject({ code, info: { reason: "INVALID_REQUEST" }, message: expect.stringContaining(words) });
});

it.each([
  ["grpc", Code.Unimplemented, "no complete message"],
  ["grpc-web", Code.InvalidArgument, "ends within a message"],
  ["connect stream", Code.InvalidArgument, "ends within a message"],
] as const)("%s: a request that ends within its message is INVALID_REQUEST", async (wire, code, words) => {
  const ending = await callRaw(wire, service, { path: stream, body: one.subarray(0, one.length - 1) });
  expect(ending).toMatchObject({ code, info: { reason: "INVALID_REQUEST" }, message: expect.stringContaining(words) });
});

it.each([
  ["application/grpc-web+proto", "POST", 415],
  ["application/grpc+json", "POST", 415],
  ["application/json", "POST", 415],
  ["application/grpc", "GET", 405],
  ["application/grpc", "DELETE", 405],
])("the gRPC port answers %s with %s by HTTP status %i", async (contentType, method, status) => {
  for (const path of [complete, "/grpc.health.v1.Health/Check"]) {
    const { headers } = await answerTo(path, one, { "content-type": contentType, ":method": method });
    expect(headers).toMatchObject({ ":status": status });
    expect(headers).not.toHaveProperty("grpc-status");
  }
});

it("an unknown grpc-encoding is rejected even if no message is compressed", async () => {
  const ending = await callRaw("grpc", service, { path: complete, body: one, headers: { "grpc-encoding": "snappy" } });
  expect(ending).toMatchObject({ code: Code.Unimplemented, info: { reason: "UNSUPPORTED_ENCODING" } });
  const { headers } = await answerTo(complete, one, { "grpc-encoding": "snappy" });
  expect(headers["grpc-accept-encoding"]).toContain("gzip");
});

it("the gRPC port takes content types with parameters", async () => {
  const { trailers } = await answerTo(complete, one, { "content-type": "application/grpc+proto; charset=utf-8" });
  expect(trailers).toMatchObject({ "grpc-status": "0" });
});

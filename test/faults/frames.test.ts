import { gzipSync } from "node:zlib";
import { toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CompleteChatRequestSchema, StreamChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { callRaw, frame, openGrpc, type Wire, wireFacts } from "../server/raw-calls.ts";
import { type ServiceProcess, startProcess } from "../support/process.ts";
import { scriptEcho } from "../support/requests.ts";

let service: ServiceProcess;
beforeAll(async () => {
  service = await startProcess();
});
afterAll(() => service[Symbol.asyncDispose]());

const chat = scriptEcho({ text: "hi" });
const complete = toBinary(CompleteChatRequestSchema, { $typeName: "dragoman.v1.CompleteChatRequest", chat });
const stream = toBinary(StreamChatRequestSchema, { $typeName: "dragoman.v1.StreamChatRequest", chat });

const lastCall = () => service.log.filter(({ msg }) => msg === "call").at(-1);

const wires: readonly Wire[] = ["grpc", "grpc-web", "connect stream"];
const methods = [
  ["CompleteChat", complete],
  ["StreamChat", stream],
] as const;
const cases = wires.flatMap((wire) =>
  methods
    .filter(([method]) => wire !== "connect stream" || method === "StreamChat")
    .flatMap(([method, bytes]) => [
      [wire, method, "plain bytes", bytes] as const,
      [wire, method, "gzip bytes", gzipSync(bytes)] as const,
    ]),
);

describe("a message with the compressed flag", () => {
  it.each(
    cases,
  )("is INTERNAL with ErrorInfo if no header names its encoding: %s, %s, %s", async (wire, method, _, bytes) => {
    for (const headers of [{}, { [wireFacts[wire].encoding]: "identity" }]) {
      const before = service.log.length;
      const path = `/dragoman.v1.ChatService/${method}`;
      const ending = await callRaw(wire, service, { path, body: frame(bytes, 1), headers });
      expect(ending).toMatchObject({ code: Code.Internal, info: { reason: "MALFORMED_FRAME", domain: "dragoman" } });
      await expect.poll(() => service.log.length).toBeGreaterThan(before);
      expect(lastCall()).toMatchObject({ method, outcome: "refused", reason: "MALFORMED_FRAME" });
    }
    expect(service.log.some(({ level }) => level === "error")).toBe(false);
  });

  it("is INTERNAL for health checks too", async () => {
    const body = frame(Buffer.from([0x0a, 0]), 1);
    const ending = await callRaw("grpc", service, { path: "/grpc.health.v1.Health/Check", body });
    expect(ending).toMatchObject({ code: Code.Internal, info: { reason: "MALFORMED_FRAME" } });
  });

  it("is read if the header names gzip", async () => {
    const { session, stream: call } = openGrpc(service.grpcAddress, {
      path: "/dragoman.v1.ChatService/CompleteChat",
      headers: { "grpc-encoding": "gzip" },
    });
    call.end(frame(gzipSync(complete), 1));
    const status = await new Promise((resolve) => {
      call.on("trailers", (fields) => resolve(fields["grpc-status"])).resume();
    });
    session.destroy();
    expect(status).toBe("0");
  });
});

it("a message with a reserved flag is INTERNAL with ErrorInfo over gRPC", async () => {
  for (const flags of [2, 3, 128, 255]) {
    const body = frame(complete, flags);
    const ending = await callRaw("grpc", service, { path: "/dragoman.v1.ChatService/CompleteChat", body });
    expect(ending, String(flags)).toMatchObject({ code: Code.Internal, info: { reason: "MALFORMED_FRAME" } });
  }
});

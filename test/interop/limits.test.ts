import { connect, type IncomingHttpHeaders } from "node:http2";
import { buffer } from "node:stream/consumers";
import { create, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { CompleteChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ask, scriptEcho } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { functionTool } from "../support/tools.ts";
import { body } from "./requests.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

const path = "/dragoman.v1.ChatService/CompleteChat";

/** Makes a gRPC call without a client library. Returns the headers or trailers that have its status. */
async function callGrpc(chat: ChatRequest, headers: Record<string, string> = {}): Promise<IncomingHttpHeaders> {
  const message = toBinary(CompleteChatRequestSchema, create(CompleteChatRequestSchema, { chat }));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  const session = connect(`http://${service.grpcAddress}`).on("error", () => {}); // The stream emits the same error.
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  let fields: IncomingHttpHeaders = {};
  const take = (received: IncomingHttpHeaders): void => {
    if (received["grpc-status"] !== undefined) fields = received;
  };
  stream.on("response", take).on("trailers", take);
  stream.end(Buffer.concat([prefix, message]));
  await buffer(stream);
  session.close();
  return fields;
}

describe("the status of an error", () => {
  /**
   * Maximum size of trailers in bytes. Clients built on gRPC's C core (Python, C++, Ruby, PHP) reject some calls with
   * trailers above 8 KiB, and all above 16 KiB. They then raise RESOURCE_EXHAUSTED without the details. See
   * GRPC_ARG_MAX_METADATA_SIZE.
   */
  const maxBytes = 8192;

  /** Size of a header list in bytes as HTTP/2 defines it: RFC 9113, section 6.5.2. */
  function sizeOf(fields: IncomingHttpHeaders): number {
    return Object.entries(fields).reduce((sum, [name, value]) => sum + name.length + String(value).length + 32, 0);
  }

  const longNames: JsonObject = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => ["k".repeat(300 + index), 1]),
  );
  const wideNames: JsonObject = Object.fromEntries(
    Array.from({ length: 99 }, (_, index) => ["話".repeat(80 + index), 1]),
  );
  const jsonObject = { outputFormat: { format: { case: "jsonObject", value: {} } } } as const;

  it.each([
    ["an unknown model", ask("😀".repeat(256), "")],
    [
      "many wrong fields",
      ask("echo/echo", "", { tools: Array.from({ length: 256 }, () => functionTool({ name: "é" })) }),
    ],
  ])("keeps an error within the trailer limit of clients: %s", async (_, chat) => {
    expect(sizeOf(await callGrpc(chat))).toBeLessThanOrEqual(maxBytes);
  });

  it.each([
    ["wrong fields with long names", scriptEcho(longNames)],
    ["wrong fields with long names of 3-byte characters", scriptEcho(wideNames)],
    ["invalid JSON with 3-byte characters", scriptEcho({ text: `{${"話".repeat(5000)}` }, jsonObject)],
  ])("keeps an error within the trailer limit of clients: %s", async (_, chat) => {
    expect(sizeOf(await callGrpc(chat))).toBeLessThanOrEqual(maxBytes);
  });
});

describe("a deadline beyond the maximum of a Node timer", () => {
  // Some clients send such values (here 30 days) to mean "no deadline". A Node timer fires at once above 2^31-1 ms,
  // about 25 days.
  const script = { text: "patience", delay_ms: 50 };

  it("completes a gRPC call with a deadline of 30 days", async () => {
    const fields = await callGrpc(scriptEcho(script), { "grpc-timeout": "2592000S" });
    expect(fields).toMatchObject({ "grpc-status": "0" });
  });

  it("completes a Connect call with a deadline of 30 days", async () => {
    const response = await fetch(`http://${service.httpAddress}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", "connect-timeout-ms": "2592000000" },
      body: body(script),
    });
    expect(response.status).toBe(200);
  });
});

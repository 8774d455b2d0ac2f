import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import { type ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { startConfigured } from "../support/configured-process.ts";
import type { ServiceProcess } from "../support/process.ts";
import { ask, scriptEcho } from "../support/requests.ts";

const nameless = "nameless-tool-call";

const padding = "x".repeat(4000);
/** Text, and an item with no output for the caller that an adapter keeps, by the path of an API. */
const silent: Readonly<Record<string, readonly [text: object, item: object]>> = {
  "/v1/messages": [
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "x" } },
    { type: "content_block_start", content_block: { type: "new_kind", padding } },
  ],
  "/v1/responses": [
    { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "x" },
    { type: "response.output_item.added", item: { type: "reasoning", id: "rs_1", summary: [], padding } },
  ],
};

/** Returns 500 events of an API, of which the first is text, and the others are items with indexes from `first` on. */
function silentEvents([text, item]: readonly [object, object], first: number): string {
  const items = Array.from({ length: 499 }, (_, at) => ({ ...item, index: first + at, output_index: first + at }));
  return [text, ...items].map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
}

/** Deltas that the endless provider can send, by model. */
const deltas: Readonly<Record<string, object>> = {
  text: { content: "x" },
  reasoning: { reasoning_content: "hm " },
  "tool-call": { tool_calls: [{ index: 0, id: "a", type: "function", function: { name: "f", arguments: "1" } }] },
};

let upstream: Server;
let service: ServiceProcess;
/** Resolves when the service has closed an endless response. */
let closed: Promise<void>;

/** Streams deltas without end, as fast as the service reads them. */
function startEndless(): Server {
  return createServer((request, response) => {
    const ended = Promise.withResolvers<void>();
    closed = ended.promise;
    const body: Buffer[] = [];
    request.on("data", (chunk: Buffer) => body.push(chunk));
    request.on("end", () => {
      const { model }: { model: string } = JSON.parse(Buffer.concat(body).toString());
      const unnamed = { tool_calls: [{ index: 0, id: "a", function: { arguments: "1".repeat(1000) } }] };
      const delta = model === nameless ? unnamed : deltas[model];
      const event = `data: ${JSON.stringify({ id: "1", choices: [{ index: 0, delta }] })}\n\n`;
      const many = event.repeat(500);
      const pair = silent[request.url ?? ""];
      let items = 1;
      const next = (): string => {
        items += 499;
        return pair ? silentEvents(pair, items) : many;
      };
      response.writeHead(200, { "content-type": "text/event-stream" });
      const write = (): void => {
        while (!response.destroyed && response.write(next()));
      };
      response.on("drain", write).on("close", ended.resolve);
      write();
    });
  });
}

beforeAll(async () => {
  upstream = startEndless().listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const { port } = upstream.address() as AddressInfo;
  const base = `http://127.0.0.1:${port}`;
  const environment = {
    ...{ VLLM_BASE_URL: `${base}/v1`, OPENAI_BASE_URL: `${base}/v1`, ANTHROPIC_BASE_URL: base },
    ...{ OPENAI_API_KEY: "k", ANTHROPIC_API_KEY: "k" },
  };
  service = await startConfigured("limits: { max_answer_size: 1MiB }", environment);
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  upstream.closeAllConnections();
  upstream.close();
});

const client = () => createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
const chat = (model: string) => ask(`vllm/${model}`, "hi", { parameters: { maxOutputTokens: 10 } });

async function failureOf(act: () => Promise<unknown>): Promise<{ reason: string | undefined; message: string }> {
  const error = await act().then(
    () => undefined,
    (thrown: ConnectError) => thrown,
  );
  return { reason: error?.findDetails(ErrorInfoSchema)[0]?.reason, message: error?.rawMessage ?? "" };
}

describe("a response without an end", () => {
  it.each(Object.keys(deltas))("fails a unary call with ANSWER_TOO_LARGE and closes upstream: %s", async (model) => {
    const failure = await failureOf(() => client().completeChat({ chat: chat(model) }));
    expect(failure.reason).toBe("ANSWER_TOO_LARGE");
    expect(failure.message).toContain("limits.max_answer_size");
    await closed;
  });

  it.each(Object.keys(deltas))("ends a stream with ANSWER_TOO_LARGE and closes upstream: %s", async (model) => {
    const read = async () => {
      for await (const _ of client().streamChat({ chat: chat(model) }));
    };
    expect((await failureOf(read)).reason).toBe("ANSWER_TOO_LARGE");
    await closed;
  });

  it("fails a call whose provider sends arguments without a tool name for ever", async () => {
    const failure = await failureOf(() => client().completeChat({ chat: chat(nameless) }));
    expect(failure).toEqual({
      reason: "PROVIDER_FAULT",
      message: expect.stringContaining("a tool call has arguments but no name"),
    });
    await closed;
  });

  it("fails a request to an HTTP API with status 413", async () => {
    const response = await fetch(`http://${service.httpAddress}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "vllm/text", messages: [{ role: "user", content: "hi" }] }),
    });
    expect(response.status).toBe(413);
    expect(await response.text()).toContain("limits.max_answer_size");
    await closed;
  });

  const many = <Item>(item: Item) => Array.from({ length: 9_000 }, () => item);
  it.each<[string, JsonObject]>([
    ["media", { media: [{ media_type: "image/png", size: 2_000_000 }] }],
    ["citations", { text: "far", citations: many({ citedText: "x".repeat(80) }) }],
    ["sources", { text: "far", sources: many({ url: { url: `https://a.example/${"x".repeat(60)}` } }) }],
    ["output of the provider's tools", { server_tools: [{ name: "search", output: "x".repeat(1_100_000) }] }],
  ])("counts %s", async (_, script) => {
    const failure = await failureOf(() => client().completeChat({ chat: scriptEcho(script) }));
    expect(failure.reason).toBe("ANSWER_TOO_LARGE");
  });

  it.skipIf(!existsSync("/proc/self/status"))(
    "stays below 400 MiB with 12 such calls at once (needs /proc)",
    async () => {
      const calls = Array.from({ length: 12 }, () => failureOf(() => client().completeChat({ chat: chat("text") })));
      for (const { reason } of await Promise.all(calls)) expect(reason).toBe("ANSWER_TOO_LARGE");
      const [, peakKiB] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${service.child.pid}/status`, "utf8")) ?? [];
      expect(Number(peakKiB)).toBeLessThan(400 * 1024);
    },
  );

  // After the test of the memory: each of them takes some of it.
  it.each([
    "anthropic/claude-sonnet-4-5",
    "openai/gpt-5-pro",
  ])("fails a call whose provider sends items for ever that the caller does not receive: %s", async (model) => {
    const failure = await failureOf(async () => {
      const request = ask(model, "hi");
      for await (const _ of client().streamChat({ chat: request }));
    });
    expect(failure).toEqual({ reason: "PROVIDER_STREAM_INTERRUPTED", message: expect.stringContaining("too many") });
    await closed;
  });
});

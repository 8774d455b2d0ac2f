import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ReasoningFormat } from "../../src/gen/dragoman/v1/reasoning_pb.js";
import { startConfigured } from "../support/configured-process.ts";
import { type ServiceProcess, startProcess } from "../support/process.ts";
import { type ReplayUpstream, type Script, type Step, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource[Symbol.asyncDispose]();
});

const chunk = (delta: object, more: object = {}) =>
  `data: ${JSON.stringify({ id: "1", choices: [{ index: 0, delta, ...more }] })}\n\n`;

/** Starts a provider and a service with these timeouts in milliseconds. */
async function start(script: Script, timeouts: { readonly first_event: string; readonly idle: string }) {
  const upstream = await startReplayUpstream(script);
  const vllm = { base_url: upstream.baseUrl, timeouts };
  const service = await startConfigured(JSON.stringify({ providers: { vllm } }));
  open.push(upstream, service);
  const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
  return { service, client };
}

/** A provider that sends a text every 50 ms, for at most 10 s. */
const every50ms = (write: string): Step[] =>
  Array.from({ length: 200 }, (): Step[] => [
    { write },
    {
      get hold() {
        return new Promise((resolve) => setTimeout(resolve, 50));
      },
    },
  ]).flat();

describe("a response that never has output", () => {
  /** What the provider sends next. */
  let steps: readonly Step[] = [];
  let upstream: ReplayUpstream;
  let service: ServiceProcess;
  beforeAll(async () => {
    upstream = await startReplayUpstream({
      get steps() {
        return steps;
      },
    });
    service = await startProcess({ VLLM_BASE_URL: upstream.baseUrl });
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });
  const grpc = () => createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));

  it.each([
    ["empty events", "data: {}\n\n"],
    ["events without a choice", 'data: {"id":"1","choices":[]}\n\n'],
    ["empty deltas", chunk({ content: "" })],
    ["comments", ": keep-alive\n\n"],
    ["empty comments", ":\n"],
    ["unknown fields", "a: b\n"],
    ["reconnection times", "retry: 1\n"],
    ["empty lines", "\n"],
    ["ids", "id: 1\n\n"],
  ])(
    "fails with a reason and closes the connection: %s",
    async (_name, text) => {
      const block = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)));
      steps = [{ flood: () => block }];
      const before = upstream.floodedBytes;
      const request = upstream.nextRequest();
      const chat = ask("vllm/m", "hi");
      const thrown = await grpc()
        .streamChat({ chat }, { timeoutMs: 20_000 })
        [Symbol.asyncIterator]()
        .next()
        .catch(ConnectError.from);
      const error = ConnectError.from(thrown);
      expect(error.code).toBe(Code.Internal);
      expect(error.rawMessage).toMatch(/without output$/);
      await (await request).aborted;
      expect(upstream.floodedBytes - before).toBeLessThan(80 * 1024 * 1024);
    },
    30_000,
  );

  it("fails in a response that had output before", async () => {
    steps = [{ write: chunk({ content: "a" }) }, { flood: () => Buffer.from("data: {}\n\n".repeat(6_000)) }];
    const request = upstream.nextRequest();
    const events = grpc()
      .streamChat({ chat: ask("vllm/m", "hi") }, { timeoutMs: 20_000 })
      [Symbol.asyncIterator]();
    const read = async () => {
      for (let next = await events.next(); !next.done; next = await events.next());
    };
    const error = ConnectError.from(await read().catch((thrown: unknown) => thrown));
    expect(error.code).toBe(Code.Unavailable);
    expect(error.rawMessage).toContain("without output");
    await (await request).aborted;
  }, 30_000);
});

describe("the timeouts of a provider", () => {
  const quiet = { first_event: "400ms", idle: "400ms" };

  it.each([
    ["empty events", "data: {}\n\n"],
    ["comments", ": keep-alive\n\n"],
  ])("pass while the response has no output: %s", async (_name, text) => {
    const { client } = await start({ steps: every50ms(text) }, quiet);
    const error = ConnectError.from(await client.completeChat({ chat: ask("vllm/m", "hi") }).catch((thrown) => thrown));
    expect(error.code).toBe(Code.Unavailable);
    expect(error.rawMessage).toContain("timed out waiting");
  });

  it("pass after the last output, despite empty events", async () => {
    const steps = [{ write: chunk({ content: "a" }) }, ...every50ms("data: {}\n\n")];
    const { service, client } = await start({ steps }, quiet);
    const events = client.streamChat({ chat: ask("vllm/m", "hi") })[Symbol.asyncIterator]();
    const read = async () => {
      for (let next = await events.next(); !next.done; next = await events.next());
    };
    expect(ConnectError.from(await read().catch((thrown: unknown) => thrown)).code).toBe(Code.Unavailable);
    await expect
      .poll(() => service.log.find(({ msg }) => msg === "call"))
      .toMatchObject({
        attempts: [{ failure_reason: "PROVIDER_TIMEOUT" }],
      });
  });

  it("do not pass while the model produces reasoning that the caller hides", async () => {
    const end = [{ write: `${chunk({ content: "done" }, { finish_reason: "stop" })}data: [DONE]\n\n` }];
    const steps = [...every50ms(chunk({ reasoning_content: "hm" })).slice(0, 120), ...end];
    const { client } = await start({ steps }, { first_event: "2s", idle: "2s" });
    const chat = ask("vllm/m", "hi", { reasoning: { format: ReasoningFormat.HIDDEN } });
    const { completion } = await client.completeChat({ chat });
    expect(completion?.choices[0]?.message?.parts[0]?.kind).toMatchObject({ case: "text", value: "done" });
  });
});

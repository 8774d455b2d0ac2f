import { readFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import {
  CompleteChatRequestSchema,
  CompleteChatResponseSchema,
  StreamChatRequestSchema,
  StreamChatResponseSchema,
} from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { answers, begins, type ChatUpstream, type Play, rejects, startChatUpstream } from "../support/chat-upstream.ts";
import { streamEnd } from "../support/openai-wire.ts";
import { startRelay } from "../support/relay.ts";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";

// The settings of clients in docs/deploy.md, with grpc-js as the client.

const serviceConfig = readFileSync(new URL("../../clients/service-config.json", import.meta.url), "utf8");
const request = ask("openai/gpt-4o", "hello");

/** A client with the documented settings. */
class DocumentedClient {
  readonly #client: Client;

  /** @param ports ports on this machine, as a name would resolve to several addresses */
  constructor(...ports: readonly (number | string)[]) {
    const addresses = ports.map((port) => `127.0.0.1:${port}`).join(",");
    this.#client = new Client(`ipv4:${addresses}`, credentials.createInsecure(), {
      "grpc.service_config": serviceConfig,
      "grpc.keepalive_time_ms": 60_000,
    });
    onTestFinished(() => this.#client.close());
  }

  /** Resolves with the status of a unary call. */
  complete(chat: ChatRequest = request): Promise<number> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        "/dragoman.v1.ChatService/CompleteChat",
        (value: ChatRequest) =>
          Buffer.from(toBinary(CompleteChatRequestSchema, create(CompleteChatRequestSchema, { chat: value }))),
        (bytes) => fromBinary(CompleteChatResponseSchema, bytes),
        chat,
        new Metadata(),
        (error: ServiceError | null) => resolve(error?.code ?? status.OK),
      );
    });
  }

  /** Resolves with the status of a stream and its number of messages. */
  stream(chat: ChatRequest = request, onMessage: () => void = () => {}): Promise<{ code: number; messages: number }> {
    const stream = this.#client.makeServerStreamRequest(
      "/dragoman.v1.ChatService/StreamChat",
      (value: ChatRequest) =>
        Buffer.from(toBinary(StreamChatRequestSchema, create(StreamChatRequestSchema, { chat: value }))),
      (bytes) => fromBinary(StreamChatResponseSchema, bytes),
      chat,
      new Metadata(),
    );
    let messages = 0;
    stream.on("data", () => {
      messages++;
      onMessage();
    });
    // The status event has the same code.
    stream.on("error", () => {});
    return new Promise((resolve) => stream.on("status", ({ code }) => resolve({ code, messages })));
  }
}

async function start(upstream: ChatUpstream, yaml?: string, maxAgeMs = 0): Promise<TestService> {
  const service = await startTestService(
    { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: `${upstream.baseUrl}/v1` },
    (config) => ({ ...config, grpcConnection: { ...config.grpcConnection, maxAgeMs } }),
    yaml,
  );
  onTestFinished(() => service.stop());
  return service;
}

async function startUpstream(...plays: readonly Play[]): Promise<ChatUpstream> {
  const upstream = await startChatUpstream(...plays);
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  return upstream;
}

const reasonsOf = ({ records }: TestService) => records.map(({ reason }) => reason);
const portOf = ({ grpcAddress }: TestService) => grpcAddress.replace(/^.*:/, "");

describe("a client with the documented service config", () => {
  it("spreads its calls over the replicas, and loses none when one of them ends", async () => {
    const upstream = await startUpstream(answers("hello"));
    const replicas = [await start(upstream), await start(upstream)] as const;
    const client = new DocumentedClient(...replicas.map(portOf));
    for (let count = 0; count < 20; count++) expect(await client.complete()).toBe(status.OK);
    for (const { records } of replicas) expect(records.length).toBeGreaterThan(4);

    const before = replicas[1].records.length;
    let stopping: Promise<void> | undefined;
    for (let count = 0; count < 60; count++) {
      if (count === 10) stopping = replicas[0].stop();
      const codes = await Promise.all([client.complete(), client.complete(), client.complete()]);
      expect(codes).toEqual([status.OK, status.OK, status.OK]);
    }
    await stopping;
    expect(replicas[1].records.length).toBeGreaterThan(before + 100);
  });

  it("loses no call when connections end because of their age, and running streams go on", async () => {
    const released = Promise.withResolvers<void>();
    const upstream = await startUpstream(begins("half ", { hold: released.promise }, { write: streamEnd }));
    const service = await start(upstream, undefined, 500);
    const relay = await startRelay(Number(portOf(service)));
    onTestFinished(() => relay[Symbol.asyncDispose]());
    const client = new DocumentedClient(relay.port);

    const begun = Promise.withResolvers<void>();
    const long = client.stream(request, begun.resolve);
    await begun.promise;
    upstream.plays(answers("hello"));
    while (relay.accepted < 4) {
      const codes = await Promise.all(Array.from({ length: 8 }, () => client.complete()));
      expect(new Set(codes)).toEqual(new Set([status.OK]));
    }
    released.resolve();
    expect((await long).code).toBe(status.OK);
  });

  it("repeats calls and streams that a provider failed before their output", async () => {
    const upstream = await startUpstream(rejects(503), rejects(429), answers("hello"));
    const service = await start(upstream);
    const client = new DocumentedClient(portOf(service));
    expect(await client.complete()).toBe(status.OK);
    expect(reasonsOf(service)).toEqual(["PROVIDER_UNAVAILABLE", "PROVIDER_RATE_LIMITED", undefined]);

    upstream.plays(rejects(503), answers("hello"));
    expect((await client.stream()).code).toBe(status.OK);
    expect(reasonsOf(service).slice(3)).toEqual(["PROVIDER_UNAVAILABLE", undefined]);
  });

  it("repeats no stream that has begun, and no call that cannot succeed", async () => {
    const upstream = await startUpstream(begins("half ", { cut: true }));
    const service = await start(upstream);
    const client = new DocumentedClient(portOf(service));
    const { code, messages } = await client.stream();
    expect(code).toBe(status.UNAVAILABLE);
    expect(messages).toBeGreaterThan(1);
    expect(await client.complete(ask("no-such-model", "hello"))).toBe(status.NOT_FOUND);
    expect(reasonsOf(service)).toEqual(["PROVIDER_STREAM_INTERRUPTED", "MODEL_NOT_FOUND"]);
  });

  it("repeats a call beyond a rate limit when the limit allows it", async () => {
    const upstream = await startUpstream(answers("hello"));
    const service = await start(upstream, "accounts: { billing: { limits: { requests_per_minute: 120 } } }");
    const client = new DocumentedClient(portOf(service));
    const chat = ask("openai/gpt-4o", "hello", { accountId: "billing" });
    while (!reasonsOf(service).includes("REQUESTS_LIMITED")) expect(await client.complete(chat)).toBe(status.OK);
    expect(reasonsOf(service).at(-1)).toBeUndefined();
  });

  it("does not repeat a call beyond a budget", async () => {
    const upstream = await startUpstream(answers("hello"));
    const budget = "{ amount_usd: '0.00', period: month }";
    const service = await start(upstream, `accounts: { billing: { budgets: [${budget}] } }`);
    const client = new DocumentedClient(portOf(service));
    const chat = ask("openai/gpt-4o", "hello", { accountId: "billing" });
    expect(await client.complete(chat)).toBe(status.RESOURCE_EXHAUSTED);
    expect(reasonsOf(service)).toEqual(["BUDGET_EXHAUSTED"]);
  });
});

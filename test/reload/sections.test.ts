import { once } from "node:events";
import { connect } from "node:http2";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { EmbeddingService } from "../../src/gen/dragoman/v1/embedding_service_pb.js";
import { type ChatUpstream, isStreamed, type Play, startChatUpstream, wholeBody } from "../support/chat-upstream.ts";
import { embedRequest } from "../support/embedding.ts";
import { streamEnd, textChunk } from "../support/openai-wire.ts";
import type { RecordedRequest } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { type ReloadableProcess, sha256, startReloadable } from "./harness.ts";

const modelOf = ({ body }: RecordedRequest): string => JSON.parse(body).model;

/** Answers with a text and the model's name. The model `bad` fails. The model `held` waits in the middle of its answer. */
const upstreamOf =
  (name: string, held: Promise<void>): Play =>
  (request) => {
    const model = modelOf(request);
    if (request.path.endsWith("/embeddings")) return vectorOf(name === "one" ? 1 : 2, model);
    const text = `${name} ${model}`;
    if (model === "bad") return { status: 500, steps: [{ write: "{}" }] };
    if (!isStreamed(request)) {
      return { headers: { "content-type": "application/json" }, steps: [{ write: wholeBody(text) }] };
    }
    const rest = [{ hold: held }, { write: textChunk("x".repeat(10_000)) }];
    return { steps: [{ write: textChunk(text) }, ...(model === "held" ? rest : []), { write: streamEnd }] };
  };

const embedding = Promise.withResolvers<void>();
const released = Promise.withResolvers<void>();

/** Answers with a vector of one value. The model `held` waits until it is released. */
function vectorOf(value: number, model: string): ReturnType<Play> {
  const body = JSON.stringify({ data: [{ index: 0, embedding: [value] }] });
  const answer = { headers: { "content-type": "application/json" }, steps: [{ write: body }] };
  if (model !== "held") return answer;
  embedding.resolve();
  return { ...answer, holdHeaders: released.promise };
}

let one: ChatUpstream;
let other: ChatUpstream;
let service: ReloadableProcess;
let releaseHeld = (): void => {};

beforeAll(async () => {
  const held = new Promise<void>((resolve) => (releaseHeld = resolve));
  one = await startChatUpstream(upstreamOf("one", held));
  other = await startChatUpstream(upstreamOf("other", held));
  service = await startReloadable(stringify(fileWith({})));
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await one[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

const keyOf = (id: string, more = {}) => ({ id, sha256: sha256(id), role: "admin", ...more });
const priceOf = (input: string) => ({ "openai/m": { input, output: "0" }, "openai/held": { input, output: "0" } });
const target = (model: string) => ({ tiers: [{ targets: [{ model }] }] });

/** Returns the file in which every section has its former value, but for some. */
function fileWith(sections: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    authentication: { keys: [keyOf("first")] },
    providers: { openai: { api_key: "sk-1", base_url: one.baseUrl } },
    models: { mine: { provider: "openai", provider_model: "former" } },
    deployments: { mine: { model: "openai/former" } },
    routes: { fast: target("openai/former") },
    prices: priceOf("1.00"),
    ...sections,
  };
}

interface Answer {
  readonly text?: string | undefined;
  readonly reason?: string | undefined;
  readonly costNanos?: string | undefined;
}

/** Makes a unary call with JSON. */
async function complete(model: string, { key = "first", text = "hi", account = "" } = {}): Promise<Answer> {
  const body = { chat: { model, messages: [{ role: "ROLE_USER", parts: [{ text }] }] } };
  const response = await fetch(`http://${service.httpAddress}/dragoman.v1.ChatService/CompleteChat`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-api-key": key,
      ...(account && { "x-selected-account-id": account }),
    },
    body: JSON.stringify(body),
  });
  const { completion, details = [] } = (await response.json()) as {
    completion?: {
      choices: { message: { parts: { text: string }[] } }[];
      usage: { cost?: { totalNanos?: string } };
    };
    details?: { debug?: { reason?: string } }[];
  };
  return {
    text: completion?.choices[0]?.message.parts[0]?.text,
    reason: details.map(({ debug }) => debug?.reason).find((reason) => reason !== undefined),
    costNanos: completion?.usage.cost?.totalNanos,
  };
}

async function admin(method: string, body: object = {}): Promise<unknown> {
  const response = await fetch(`http://${service.httpAddress}/dragoman.admin.v1.${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": "first" },
    body: JSON.stringify(body),
  });
  return response.json();
}

/** Returns the status of a reflection request without messages. */
async function reflectionStatus(): Promise<unknown> {
  const session = connect(`http://${service.grpcAddress}`);
  const stream = session.request({
    ":method": "POST",
    ":path": "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "content-type": "application/grpc",
    te: "trailers",
  });
  let status: unknown;
  stream.on("response", (headers) => (status ??= headers["grpc-status"]));
  stream.on("trailers", (headers) => (status ??= headers["grpc-status"]));
  stream.end();
  stream.resume();
  await once(stream, "close");
  session.destroy();
  return status;
}

/** Returns the bound on streams that a new connection learns. */
async function maxStreams(): Promise<unknown> {
  const session = connect(`http://${service.grpcAddress}`);
  const [settings] = await once(session, "remoteSettings");
  session.destroy();
  return settings.maxConcurrentStreams;
}

async function allowedOrigin(): Promise<unknown> {
  const headers = { origin: "https://a.example" };
  const response = await fetch(`http://${service.httpAddress}/v1/models`, { headers });
  await response.text();
  return response.headers.get("access-control-allow-origin");
}

async function grpcReason(text: string): Promise<unknown> {
  const chat = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
  const headers = { "x-api-key": "first" };
  return chat.completeChat({ chat: ask("openai/m", text) }, { headers }).then(
    () => "ok",
    (error: Error) => error.message.match(/^\[\w+\]/)?.[0],
  );
}

async function openAiStatus(text: string): Promise<number> {
  const response = await fetch(`http://${service.httpAddress}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer first" },
    body: JSON.stringify({ model: "openai/m", messages: [{ role: "user", content: text }] }),
  });
  await response.text();
  return response.status;
}

/** State of a target after one call that it fails. */
async function stateAfterFailure(): Promise<unknown> {
  await complete("openai/bad");
  const { targets } = (await admin("RoutingService/ListTargets")) as { targets: { name: string; state: string }[] };
  return targets.find(({ name }) => name === "openai/bad")?.state;
}

/** Profile of a call, from its line in the log. */
async function profileOfNext(): Promise<unknown> {
  const before = service.log.length;
  await complete("openai/m");
  const isCall = ({ msg, method }: Readonly<Record<string, unknown>>) => msg === "call" && method === "CompleteChat";
  const line = await service.logLine((found) => isCall(found) && service.log.indexOf(found) >= before);
  return line.profile ?? "plain";
}

const long = "x".repeat(2000);

/** A changed value for each section: what a call sees before the reload, and after it. */
const rows: readonly (readonly [name: string, Record<string, unknown>, () => Promise<unknown>, unknown, unknown])[] = [
  ["grpc", { reflection: "off" }, reflectionStatus, "0", "12"],
  ["http", { cors_origins: ["https://a.example"] }, allowedOrigin, null, "https://a.example"],
  [
    "authentication",
    { keys: [keyOf("first"), keyOf("second")] },
    async () => (await complete("openai/m", { key: "second" })).reason ?? "ok",
    "CREDENTIALS_INVALID",
    "ok",
  ],
  [
    "accounts",
    { team: { limits: { requests_per_minute: 0 } } },
    async () => (await complete("openai/m", { account: "team" })).reason ?? "ok",
    "ok",
    "REQUESTS_LIMITED",
  ],
  [
    "limits",
    { max_request_size: "1KiB", max_concurrent_streams: 77 },
    async () => [
      await grpcReason(long),
      (await complete("openai/m", { text: long })).reason ?? "ok",
      await openAiStatus(long),
      await maxStreams(),
    ],
    ["ok", "ok", 200, 4096],
    ["[resource_exhausted]", "REQUEST_TOO_LARGE", 413, 77],
  ],
  [
    "providers",
    {
      openai: {
        api_key: "sk-2",
        get base_url() {
          return other.baseUrl;
        },
      },
    },
    async () => (await complete("openai/m")).text,
    "one m",
    "other m",
  ],
  [
    "models",
    { mine: { provider: "openai", provider_model: "latter" } },
    async () => (await complete("mine")).text,
    "one former",
    "one latter",
  ],
  [
    "deployments",
    { mine: { model: "openai/latter" } },
    async () => (await complete("deployments/mine")).text,
    "one former",
    "one latter",
  ],
  ["routes", { fast: target("openai/latter") }, async () => (await complete("fast")).text, "one former", "one latter"],
  ["prices", priceOf("2.00"), async () => (await complete("openai/m")).costNanos, "3000", "6000"],
];

describe("a reload under the next call", () => {
  it.each(rows)("changes %s", async (name, value, look, before, after) => {
    expect(await look()).toEqual(before);
    const line = await service.reload(stringify(fileWith({ [name]: value })));
    expect((line.keys as string[]).every((key) => key === name || key.startsWith(`${name}.`))).toBe(true);
    expect(await look()).toEqual(after);
    await service.reload(stringify(fileWith({})), "rename");
    expect(await look()).toEqual(before);
  });

  it("changes the profile", async () => {
    expect(await profileOfNext()).toBe("plain");
    await service.reload(stringify(fileWith({ profile: "cerebras" })));
    expect(await profileOfNext()).toBe("cerebras");
    await service.reload(stringify(fileWith({})));
  });

  it("changes breakers of targets that exist", async () => {
    expect(await stateAfterFailure()).toBe("TARGET_STATE_CLOSED");
    await service.reload(stringify(fileWith({ breaker: { consecutive: 1, open: "1m" } })));
    expect(await stateAfterFailure()).toBe("TARGET_STATE_OPEN");
    await service.reload(stringify(fileWith({})));
  });

  it("changes the age of later gRPC connections", async () => {
    await service.reload(stringify(fileWith({ grpc_connection: { max_age: "50ms" } })));
    const session = connect(`http://${service.grpcAddress}`);
    await once(session, "goaway");
    await service.reload(stringify(fileWith({})));
  });

  it("changes the level of the log", async () => {
    await service.reload(stringify(fileWith({ log: { level: "debug" } })));
    service.write(`# The same values.\n${stringify(fileWith({ log: { level: "debug" } }))}`, "rename");
    const line = await service.logLine(({ level, msg }) => level === "debug" && msg === "configuration reloaded");
    expect(line).toMatchObject({ trigger: "file", keys: [] });
    await service.reload(stringify(fileWith({})));
  });
});

describe("a call that runs during a reload", () => {
  it("gets its embeddings from the former server, and the next call from the new one", async () => {
    const transport = createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` });
    const client = createClient(EmbeddingService, transport);
    const embed = async (model: string) => {
      const response = await client.embed(embedRequest(model, ["hi"]), { headers: { "x-api-key": "first" } });
      return response.embeddings[0]?.values;
    };
    const running = embed("openai/held");
    await embedding.promise;
    await service.reload(stringify(fileWith({ providers: { openai: { api_key: "sk-1", base_url: other.baseUrl } } })));
    expect(await embed("openai/m")).toEqual([2]);
    released.resolve();
    expect(await running).toEqual([1]);
    await service.reload(stringify(fileWith({})));
  });

  it("keeps its key, provider, limits and prices", async () => {
    const chat = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
    const stream = chat.streamChat({ chat: ask("openai/held", "hi") }, { headers: { "x-api-key": "first" } });
    const events = stream[Symbol.asyncIterator]();
    await events.next();
    await service.reload(
      stringify({
        authentication: { keys: [keyOf("second")] },
        limits: { max_answer_size: "1KiB" },
        prices: priceOf("2.00"),
      }),
    );
    expect(await complete("openai/m")).toMatchObject({ reason: "CREDENTIALS_INVALID" });
    expect(await complete("openai/m", { key: "second" })).toMatchObject({ reason: "PROVIDER_NOT_CONFIGURED" });
    releaseHeld();
    let costNanos: bigint | undefined;
    for (let next = await events.next(); !next.done; next = await events.next()) {
      const { event } = next.value;
      if (event.case === "completed") costNanos = event.value.usage?.cost?.totalNanos;
    }
    expect(costNanos).toBe(3000n);
    // The provider is gone, and its adapter closes after its last call.
    await one.disconnected();
  });

  it("ends within the new grace period of the shutdown", async () => {
    await service.reload(stringify(fileWith({ shutdown: { grace: 0 } })));
    const chat = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
    const script = { echo: { text: "a b", stall: { after: 1 } } };
    const stream = chat.streamChat(
      { chat: ask("echo/echo", "hi", { providerOptions: script }) },
      { headers: { "x-api-key": "first" } },
    );
    const events = stream[Symbol.asyncIterator]();
    await events.next();
    service.child.kill("SIGTERM");
    expect(await service.exited).toEqual([0, null]);
    await expect(events.next().then(() => events.next())).rejects.toThrow();
  });
});

import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { answers, begins, type Play, rejects, stalls, startChatUpstream, wholeBody } from "./chat-upstream.ts";
import { startConfigured } from "./configured-process.ts";
import { type ServiceProcess, startProcess } from "./process.ts";
import { startReplayUpstream } from "./replay-upstream.ts";
import { ask, scriptEcho } from "./requests.ts";

/** API keys of callers: they must be in no line. */
export const callerKeys = { caller: "caller-key-0123456789", limited: "limited-key-0123456789" };

/** API keys of providers. */
export const providerKeys = { main: "main-key-abcdefghij", bad: "refused-key-abcdefghij" };

/** Texts of prompts and responses. */
export const prompt = "What did the doctor say about the results of my blood test?";
export const answer = "The doctor said that the results of the blood test are normal.";

const json = { "content-type": "application/json" };
const sha256 = (key: string) => createHash("sha256").update(key).digest("hex");

/** Usage of OpenAI's API with every count. */
const audio: Play = () => ({
  headers: { ...json, "x-request-id": "req-audio" },
  steps: [
    {
      write: JSON.stringify({
        ...JSON.parse(wholeBody(answer)),
        service_tier: "flex",
        usage: {
          ...{ prompt_tokens: 30, completion_tokens: 20, total_tokens: 50 },
          prompt_tokens_details: { cached_tokens: 5, audio_tokens: 6 },
          completion_tokens_details: { reasoning_tokens: 7, audio_tokens: 8 },
        },
      }),
    },
  ],
});

/** A message of Anthropic with an hour's cache and a search. */
const anthropicMessage = JSON.stringify({
  ...{ id: "msg_1", type: "message", role: "assistant", model: "claude", stop_reason: "end_turn", stop_sequence: null },
  content: [{ type: "text", text: answer }],
  usage: {
    ...{ input_tokens: 10, output_tokens: 5, cache_creation_input_tokens: 30, cache_read_input_tokens: 0 },
    cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
    server_tool_use: { web_search_requests: 2 },
  },
});

/** A response of Gemini that read and made an image. */
const geminiResponse = JSON.stringify({
  candidates: [{ index: 0, content: { role: "model", parts: [{ text: answer }] }, finishReason: "STOP" }],
  usageMetadata: {
    ...{ promptTokenCount: 300, candidatesTokenCount: 1300, totalTokenCount: 1600 },
    promptTokensDetails: [
      { modality: "TEXT", tokenCount: 42 },
      { modality: "IMAGE", tokenCount: 258 },
    ],
    candidatesTokensDetails: [
      { modality: "TEXT", tokenCount: 10 },
      { modality: "IMAGE", tokenCount: 1290 },
    ],
  },
});

const wholeOf = (body: string) => startReplayUpstream({ headers: json, steps: [{ write: body }] });

/** A provider that quotes everything that it got. */
const quotes: Play = ({ body, headers }) =>
  rejects(400, { message: `cannot read ${body} of ${headers.authorization}`, code: "unreadable" })({
    ...{ body, headers, method: "", path: "", aborted: Promise.resolve() },
  });

/** A line of the log. */
export type Line = Readonly<Record<string, unknown>>;

/**
 * Plays every kind of call at the service as a process, with providers that answer, reject, break, stall and are not
 * there. Returns the lines of the whole life of the process.
 */
export async function playLoad(): Promise<readonly Line[]> {
  await using main = await startChatUpstream(answers(answer, { "x-request-id": "req-1" }));
  await using slow = await startChatUpstream(stalls);
  await using anthropic = await wholeOf(anthropicMessage);
  await using gemini = await wholeOf(geminiResponse);
  await using service = await startConfigured(
    JSON.stringify({
      log: { level: "debug" },
      authentication: {
        mode: "keys",
        keys: [
          { id: "team-a", sha256: sha256(callerKeys.caller) },
          { id: "team-b", sha256: sha256(callerKeys.limited), limits: { requests_per_minute: 1 } },
        ],
      },
      limits: { max_request_size: "64KiB", max_queue_per_provider: 1 },
      providers: {
        main: { dialect: "openai", base_url: main.baseUrl, keys: [{ name: "first", value: providerKeys.main }] },
        keys: {
          dialect: "openai",
          base_url: main.baseUrl,
          keys: [
            { name: "bad", value: providerKeys.bad, weight: 1000 },
            { name: "good", value: providerKeys.main },
          ],
        },
        slow: { dialect: "vllm", base_url: slow.baseUrl, max_connections: 1, list_models: "off" },
        gone: { dialect: "vllm", base_url: "http://127.0.0.1:1" },
        behind: { dialect: "vllm", base_url: "http://192.0.2.1", proxy: "http://127.0.0.1:1" },
        claude: { dialect: "anthropic", base_url: anthropic.baseUrl, api_key: providerKeys.main },
        images: { dialect: "gemini", base_url: gemini.baseUrl, api_key: providerKeys.main },
      },
      routes: {
        "with-fallback": {
          tiers: [{ targets: [{ model: "gone/model" }] }, { targets: [{ model: "main/gpt-4o" }] }],
        },
      },
    }),
  );
  const chats = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
  await playCalls(service, chats, { main, slow });
  // The file is not there any more.
  service.child.kill("SIGHUP");
  await service.logged("configuration not reloaded; the old one stays");
  service.child.kill("SIGTERM");
  await service.exited;
  return service.log;
}

/** Starts the service with two workers, replaces them, and stops them. Returns the lines of all processes. */
export async function playWorkers(): Promise<readonly Line[]> {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-log-"));
  try {
    const file = join(folder, "dragoman.yaml");
    writeFileSync(file, "{ workers: 2, log: { level: debug }, providers: { local: { enabled: false } } }");
    await using service = await startProcess({ DRAGOMAN_CONFIG: file });
    await fetch(`http://${service.httpAddress}/v1/models`);
    service.child.kill("SIGUSR2");
    await service.logged("all workers have been restarted");
    service.child.kill("SIGTERM");
    await service.exited;
    return service.log;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Upstream = Awaited<ReturnType<typeof startChatUpstream>>;

async function playCalls(
  service: ServiceProcess,
  chats: Client<typeof ChatService>,
  { main, slow }: { readonly main: Upstream; readonly slow: Upstream },
): Promise<void> {
  const headers = { "x-api-key": callerKeys.caller };
  const traced = { ...headers, traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
  const options = { headers };
  const complete = (model: string, more: Parameters<typeof ask>[2] = {}, given: object = options) =>
    chats.completeChat({ chat: ask(model, prompt, more) }, given).catch(() => undefined);
  const stream = async (chat: ReturnType<typeof ask>, given: object = options) => {
    const read = async (): Promise<void> => {
      for await (const _ of chats.streamChat({ chat }, given));
    };
    await read().catch(() => undefined);
  };
  const http = (path: string, init: RequestInit) =>
    fetch(`http://${service.httpAddress}${path}`, init).then((response) => response.text());

  // Calls that succeed.
  await complete("main/gpt-4o", { user: "user-1", labels: { team: "a" }, accountId: "billing" }, { headers: traced });
  await stream(ask("main/gpt-4o", prompt));
  await stream(scriptEcho({ text: answer, usage: { cached_input_tokens: 1, cache_write_input_tokens: 2 } }));
  const predicted = { reasoning_tokens: 3, accepted_prediction_tokens: 4, rejected_prediction_tokens: 5 };
  await stream(scriptEcho({ text: answer, usage: predicted }));
  main.plays(audio, answers(answer));
  await complete("main/gpt-4o");
  await complete("main/an-unknown-model");
  await complete("claude/claude-sonnet-4-5", { parameters: { n: 2 } });
  await complete("images/gemini-2.5-flash-image");
  await complete("with-fallback");
  const openai = (body: object, key = callerKeys.caller) =>
    http("/v1/chat/completions", {
      method: "POST",
      headers: { ...json, "x-api-key": key },
      body: JSON.stringify({ messages: [{ role: "user", content: prompt }], ...body }),
    });
  await openai({ model: "main/gpt-4o" });
  await openai({ model: "main/gpt-4o", stream: true });

  // Calls that the caller ends, or whose deadline passes.
  const cancelled = new AbortController();
  const running = stream(scriptEcho({ text: answer, stall: { after: 1 } }), { ...options, signal: cancelled.signal });
  const stalled = complete("slow/model", {}, { ...options, signal: cancelled.signal });
  await slow.received(1);
  // One waits in the queue of the provider, until it is cancelled. The other one finds the queue full.
  const queued = [1, 2].map(() => complete("slow/model", {}, { ...options, signal: cancelled.signal }));
  await Promise.race(queued);
  cancelled.abort();
  await Promise.all([running, stalled, ...queued]);
  await stream(scriptEcho({ text: answer, stall: { after: 1 } }), { ...options, timeoutMs: 1_000 });

  // Mistakes of the caller.
  await complete("main/gpt-4o", { parameters: { temperature: 9, n: 0 } });
  await complete("no/such-model");
  await complete("main/gpt-4o", {}, { headers: { "x-api-key": "wrong" } });
  await complete("main/gpt-4o", {}, {});
  await complete("echo/echo", {}, { headers: { "x-api-key": callerKeys.limited } });
  await complete("echo/echo", {}, { headers: { "x-api-key": callerKeys.limited } });
  await chats.completeChat({ chat: ask("echo/echo", "x".repeat(100_000)) }, options).catch(() => undefined);
  await openai({ model: "main/gpt-4o", mesages: [] });
  await http("/v1/models", { headers: { "x-api-key": "wrong" } });
  // Servers that are not there list no models.
  await http("/v1/models", { headers });
  await http("/v1/chat/completions", { headers });
  await http("/dragoman.v1.ChatService/CompleteChat", { headers });
  await http("/dragoman.v1.ChatService/CompleteChat", { method: "POST", headers, body: new Uint8Array(2) });
  await http("/dragoman.v1.ChatService/StreamChat", { method: "POST", headers: { ...headers, ...json }, body: "{}" });
  await http("/dragoman.v1.ChatService/NoSuchMethod", { method: "POST", headers: { ...headers, ...json }, body: "{}" });
  await requestHttp2(service.grpcAddress, "/dragoman.v1.ChatService/CompleteChat", "application/json");
  await requestHttp2(service.grpcAddress, "/dragoman.v1.ChatService/NoSuchMethod", "application/grpc");

  // Failures of providers.
  const failures: readonly Play[] = [
    ...[quotes, rejects(500), rejects(429, { headers: { "retry-after": "7" } }), rejects(401)],
    ...[begins("half "), begins("half ", { cut: true }), () => ({ headers: json, steps: [{ write: "{" }] })],
  ];
  for (const [index, play] of failures.entries()) {
    main.plays(play);
    // A target of its own, since the one before may get no calls now.
    await complete(`main/failing-${index}`);
    await stream(ask(`main/failing-${index}`, prompt));
  }
  const byKey: Play = (request) =>
    (request.headers.authorization?.includes("refused") ? rejects(401) : answers(answer))(request);
  main.plays(byKey);
  for (let count = 0; count < 3; count++) await complete("keys/gpt-4o");
  for (let count = 0; count < 8; count++) await complete("gone/model");
  await complete("behind/model");

  // Faults of the service.
  await complete("echo/echo", { providerOptions: { echo: { fail: { reason: "INTERNAL" } } } });
}

/** Sends a request over HTTP/2, and waits for its end. */
async function requestHttp2(address: string, path: string, contentType: string): Promise<void> {
  const session = connect(`http://${address}`);
  const request = session.request({ ":method": "POST", ":path": path, "content-type": contentType });
  request.resume().end();
  await once(request, "close");
  session.close();
}

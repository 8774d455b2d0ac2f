import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { answers, type ChatUpstream, type Play, startChatUpstream } from "../support/chat-upstream.ts";
import { streamEnd, textChunk } from "../support/openai-wire.ts";
import { ask } from "../support/requests.ts";
import { type ReloadableProcess, sha256, startReloadable, ways } from "./harness.ts";

const reloads = 100;

/** Largest growth of the heap in bytes. One catalog with its adapters takes about 1 MB. */
const mostGrowth = 20 * 2 ** 20;

/** Prints the size of the heap without garbage on SIGUSR2. */
const printHeap = `let count = 0;
process.on("SIGUSR2", () => {
  gc();
  process.stderr.write("heap " + count++ + " " + process.memoryUsage().heapUsed + "\\n");
});`;

let releaseHeld = (): void => {};
const held = new Promise<void>((resolve) => (releaseHeld = resolve));

/** Answers with a name. The model `held` waits until all reloads are over. */
const upstreamOf =
  (name: string): Play =>
  (request) =>
    JSON.parse(request.body).model === "held"
      ? { steps: [{ write: textChunk(name) }, { hold: held }, { write: textChunk(" still") }, { write: streamEnd }] }
      : answers(name)(request);

let upstreams: readonly [ChatUpstream, ChatUpstream, ChatUpstream];
let service: ReloadableProcess;

beforeAll(async () => {
  upstreams = await Promise.all([
    startChatUpstream(upstreamOf("even")),
    startChatUpstream(upstreamOf("odd")),
    startChatUpstream(upstreamOf("constant")),
  ]);
  service = await startReloadable(fileOf(0), {}, [
    "--expose-gc",
    "--import",
    `data:text/javascript,${encodeURIComponent(printHeap)}`,
  ]);
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await Promise.all(upstreams.map((upstream) => upstream[Symbol.asyncDispose]()));
});

/** Returns a file that differs from the one before in every section that a reload changes. */
function fileOf(version: number): string {
  const [even, odd, constant] = upstreams;
  const url = (version % 2 === 0 ? even : odd).baseUrl;
  const key = (id: string) => `{ id: ${id}, sha256: "${sha256(id)}" }`;
  return `
    authentication: { keys: [${key("caller")}, ${key(`key-${version}`)}] }
    accounts: { account-${version}: {}, team: { limits: { requests_per_minute: ${100_000 + version} } } }
    providers:
      openai: { api_key: sk-${version}, base_url: "${url}" }
      vllm: { base_url: "${constant.baseUrl}" }
      added-${version}: { dialect: chat-completions, base_url: "${url}" }
    models: { model-${version}: { provider: openai, provider_model: m } }
    deployments: { deployment-${version}: { model: vllm/m } }
    routes: { fast: { tiers: [{ targets: [{ model: ${version % 2 === 0 ? "openai" : "vllm"}/m }] }] } }
    prices: { openai/m: { input: "${version}", output: "1" }, vllm/m: { input: "1", output: "${version}" } }
    breaker: { consecutive: ${5 + version}, window: ${30 + version}s }
    limits: { max_values: ${100_000 + version}, max_call_duration: ${600 + version}s, max_request_size: ${1_000_000 + version} }
    http: { stream_headers_after: ${10_000 + version}, cors_origins: ["https://${version}.example"] }
    grpc: { reflection: ${version % 2 === 0 ? "on" : "off"} }
    grpc_connection: { keepalive: ${60 + version}s }
    shutdown: { grace: ${30 + version}s }
    log: { max_buffer_size: ${1_000_000 + version} }
    profile: ${version % 2 === 0 ? "plain" : "cerebras"}`;
}

const wrongFiles = [
  "routes: [",
  "limits: { max_valuse: 1 }",
  "grpc: { tls: { certificate: none.crt, key: none.key } }",
];

const headers = { "x-api-key": "caller" };

/** Makes calls one after the other until it stops. Returns the number of them. Rejects if one fails. */
async function repeat(isOver: () => boolean, call: () => Promise<unknown>): Promise<number> {
  let count = 0;
  while (!isOver()) {
    await call();
    count++;
  }
  return count;
}

async function readStream(client: Client<typeof ChatService>, model: string): Promise<void> {
  let last: string | undefined;
  for await (const { event } of client.streamChat({ chat: ask(model, "hi") }, { headers })) last = event.case;
  if (last !== "completed") throw new Error(`the stream ended with ${last}`);
}

/** Calls an HTTP API with a stream, and reads it to its end. */
async function readEvents(model: string): Promise<void> {
  const response = await fetch(`http://${service.httpAddress}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer caller" },
    body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "hi" }] }),
  });
  const text = await response.text();
  if (response.status !== 200 || !text.endsWith("data: [DONE]\n\n")) throw new Error(`${response.status} ${text}`);
}

/** Returns the size of the heap without garbage. `count`: how often it was asked before. */
async function heapSize(count: number): Promise<number> {
  service.child.kill("SIGUSR2");
  const line = await service.reported(new RegExp(`^heap ${count} `));
  return Number(line.split(" ")[2]);
}

it(`drops no call in ${reloads} reloads, and the next call follows each`, { timeout: 300_000 }, async () => {
  const grpc = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
  const connectTransport = createConnectTransport({ baseUrl: `http://${service.httpAddress}`, httpVersion: "1.1" });
  const http = createClient(ChatService, connectTransport);
  const textOf = async (model: string) => {
    const { completion } = await grpc.completeChat({ chat: ask(model, "hi") }, { headers });
    return completion?.choices[0]?.message?.parts[0]?.kind.value;
  };

  const running = grpc.streamChat({ chat: ask("openai/held", "hi") }, { headers })[Symbol.asyncIterator]();
  await running.next();
  let isOver = false;
  const load = Promise.all(
    [
      () => grpc.completeChat({ chat: ask("openai/m", "hi") }, { headers }),
      () => http.completeChat({ chat: ask("fast", "hi") }, { headers }),
      () => readStream(grpc, "fast"),
      () => readStream(http, "vllm/m"),
      () => readEvents("openai/m"),
      () => readEvents("fast"),
    ].map((call) => repeat(() => isOver, call)),
  );

  let heapBefore = 0;
  for (let version = 1; version <= reloads; version++) {
    const way = ways[version % ways.length] ?? "signal";
    const line = await Promise.race([service.reload(fileOf(version), way), load.then(() => expect.fail())]);
    expect(line).toMatchObject({ generation: version + 1, level: "info" });
    expect(line.providers).toEqual({
      added: [`added-${version}`],
      removed: [`added-${version - 1}`],
      changed: ["openai"],
    });
    expect(await textOf("openai/m")).toBe(version % 2 === 0 ? "even" : "odd");
    expect(await textOf("fast")).toBe(version % 2 === 0 ? "even" : "constant");
    const wrong = wrongFiles[version % 20];
    if (wrong !== undefined) await service.reject(wrong, way);
    if (version === reloads / 5) heapBefore = await heapSize(0);
  }
  isOver = true;
  const counts = await load;
  expect(Math.min(...counts)).toBeGreaterThan(reloads / 4);

  // The stream that began with the first configuration ends with its provider.
  releaseHeld();
  let last: string | undefined;
  for (let next = await running.next(); !next.done; next = await running.next()) last = next.value.event.case;
  expect(last).toBe("completed");

  const failed = service.log.filter(({ msg, outcome }) => msg === "call" && outcome !== "ok");
  expect(failed).toEqual([]);
  const growth = (await heapSize(1)) - heapBefore;
  const times = service.log.flatMap((line) => (line.msg === "configuration reloaded" ? Number(line.duration_ms) : []));
  const median = times.sort((a, b) => a - b)[times.length >> 1];
  const calls = counts.reduce((sum, count) => sum + count);
  process.stderr.write(`${reloads} reloads: ${calls} calls, median ${median} ms, heap grew by ${growth} bytes\n`);
  expect(growth).toBeLessThan(mostGrowth);
  // Only the last configuration still has connections: without its providers, there are none.
  await service.reload(`authentication: { keys: [{ id: caller, sha256: "${sha256("caller")}" }] }`);
  for (const upstream of upstreams) await upstream.disconnected();
  expect(service.child.exitCode).toBe(null);
});

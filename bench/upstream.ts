/**
 * A fake OpenAI-compatible provider that needs little CPU, because it builds each response only once. The model name
 * selects the response:
 *
 * - `bench-64`: 64 words; as a stream, 64 deltas in one write.
 * - `bench-64-apart`: 64 deltas, each in its own write and event-loop turn.
 * - `bench-500-paced-50`: 500 deltas, 50 per second.
 * - `bench-hold`: one delta; then the stream stays open.
 * - `bench-flood`: an endless stream of deltas, as fast as the client reads. A GET of any path returns the number of
 *   bytes sent and of open streams, as JSON.
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import { announce } from "./announce.ts";
import { deltaText } from "./texts.ts";

interface Script {
  /** The body of a unary response. */
  readonly completion: Buffer;
  /** All chunks, concatenated. */
  readonly whole: Buffer;
  readonly chunks: readonly Buffer[];
  /** Whether to send each chunk in its own write and event-loop turn. */
  readonly apart: boolean;
  /** 0: as fast as possible. */
  readonly deltasPerSecond: number;
}

const envelope = { id: "chatcmpl-bench0123456789", created: 1_760_000_000, model: "bench-2026-01-01" };
const usage = {
  prompt_tokens: 40,
  completion_tokens: 64,
  total_tokens: 104,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
};

function completion(content: string): Buffer {
  const message = { role: "assistant", content, refusal: null, annotations: [] };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: "stop" }];
  const rest = { usage, service_tier: "default", system_fingerprint: "fp_bench" };
  return Buffer.from(JSON.stringify({ ...envelope, object: "chat.completion", choices, ...rest }));
}

function chunk(choices: readonly unknown[], rest: object = {}): Buffer {
  const body = {
    ...envelope,
    object: "chat.completion.chunk",
    service_tier: "default",
    system_fingerprint: "fp_bench",
  };
  return Buffer.from(`data: ${JSON.stringify({ ...body, choices, ...rest })}\n\n`);
}

function choice(delta: object, finishReason: string | null = null): readonly unknown[] {
  return [{ index: 0, delta, logprobs: null, finish_reason: finishReason }];
}

const scripts = new Map<string, Script>();

function script(model: string): Script {
  const known = scripts.get(model);
  if (known !== undefined) return known;
  const [, count = "16", mode, rate = "0"] = /^bench(?:-(\d+))?(?:-(apart|paced))?(?:-(\d+))?$/.exec(model) ?? [];
  const chunks = [chunk(choice({ role: "assistant", content: "", refusal: null }))];
  const words = Array.from({ length: Number(count) }, (_, index) => deltaText(index));
  for (const content of words) chunks.push(chunk(choice({ content })));
  chunks.push(chunk(choice({}, "stop")), chunk([], { usage }), Buffer.from("data: [DONE]\n\n"));
  const made = {
    completion: completion(words.join("")),
    whole: Buffer.concat(chunks),
    chunks,
    apart: mode === "apart",
    deltasPerSecond: Number(rate),
  };
  scripts.set(model, made);
  return made;
}

/** Stream that sends its chunks at a fixed rate. */
interface Paced {
  readonly response: ServerResponse;
  readonly script: Script;
  /** When to send the next chunk, as a `performance.now()` time. */
  due: number;
  position: number;
}

const paced = new Set<Paced>();

function pace(): void {
  const now = performance.now();
  for (const stream of paced) {
    while (stream.due <= now && stream.position < stream.script.chunks.length) {
      stream.response.write(stream.script.chunks[stream.position++]);
      stream.due += 1000 / stream.script.deltasPerSecond;
    }
    if (stream.position === stream.script.chunks.length) {
      paced.delete(stream);
      stream.response.end();
    }
  }
}
setInterval(pace, 1);

function writeApart(response: ServerResponse, chunks: readonly Buffer[], position: number): void {
  if (response.destroyed) return;
  if (position === chunks.length) {
    response.end();
    return;
  }
  response.write(chunks[position]);
  setImmediate(writeApart, response, chunks, position + 1);
}

const floodBlock = Buffer.concat(Array.from({ length: 200 }, () => chunk(choice({ content: deltaText(0) }))));
const flood = { bytes: 0, streams: 0 };

async function writeFlood(response: ServerResponse): Promise<void> {
  flood.streams++;
  const closed = new Promise((resolve) => response.once("close", resolve));
  while (!response.destroyed) {
    flood.bytes += floodBlock.length;
    if (!response.write(floodBlock)) {
      await Promise.race([new Promise((resolve) => response.once("drain", resolve)), closed]);
    }
  }
  flood.streams--;
}

function respond(body: string, response: ServerResponse): void {
  const model = /"model":\s*"([^"]*)"/.exec(body)?.[1] ?? "";
  if (!/"stream":\s*true/.test(body)) {
    const { completion: whole } = script(model);
    response.writeHead(200, { "content-type": "application/json", "content-length": whole.length });
    response.end(whole);
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  if (model === "bench-hold") {
    response.write(Buffer.concat(script("bench-1").chunks.slice(0, 2)));
    return;
  }
  if (model === "bench-flood") {
    void writeFlood(response);
    return;
  }
  const chosen = script(model);
  if (chosen.deltasPerSecond > 0) {
    const stream = { response, script: chosen, due: performance.now(), position: 0 };
    paced.add(stream);
    response.on("close", () => paced.delete(stream));
  } else if (chosen.apart) writeApart(response, chosen.chunks, 0);
  else response.end(chosen.whole);
}

const { BENCH_CERTIFICATE: certificate, BENCH_KEY: key } = process.env;

function serve(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === "GET") {
    response.end(JSON.stringify(flood));
    return;
  }
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => respond(Buffer.concat(parts).toString(), response));
  response.on("error", () => response.destroy());
}

/** With a certificate: TLS with HTTP/2 and HTTP/1.1. The objects of HTTP/2 have the members that this file uses. */
function createUpstream() {
  if (certificate === undefined || key === undefined) {
    const server = createServer(serve);
    server.keepAliveTimeout = 60_000;
    return server;
  }
  const files = { cert: readFileSync(certificate), key: readFileSync(key) };
  const serveBoth = serve as unknown as Parameters<typeof createSecureServer>[1];
  const server = createSecureServer({ ...files, allowHTTP1: true }, serveBoth);
  // As node:http does. Otherwise, small writes over HTTP/1.1 wait for acknowledgments.
  return server.on("secureConnection", (socket) => socket.setNoDelay(true));
}

const server = createUpstream();
server.listen(0, "127.0.0.1", 4096, () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) announce(address.port);
});

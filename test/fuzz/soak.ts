/**
 * Loads the service with everything at once: `npm run soak -- --minutes 30`. Honest callers, callers that cancel,
 * random shots of every attack, and a flood of another kind every ten seconds. Prints the state of the process every
 * `--seconds` (default 60), and fails if a law breaks or an honest call fails.
 */
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { openGrpcStream } from "../support/raw-stream.ts";
import { scriptEcho } from "../support/requests.ts";
import { attacks } from "./attacks/index.ts";
import { bounds } from "./bounds.ts";
import { batchOf, startStage } from "./driver.ts";
import { shoot } from "./shoot.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const seed = Number(values.seed);
const end = performance.now() + Number(values.minutes) * 60_000;
const ended = AbortSignal.timeout(Number(values.minutes) * 60_000);
process.stdout.write(`soaking for ${values.minutes} min with --seed ${seed}\n`);

await using stage = await startStage({ ...bounds, rssMiB: 1500 });
const { target, watch } = stage;
const { grpcAddress, httpAddress } = target.service;
const clients = [
  createClient(ChatService, createGrpcTransport({ baseUrl: `http://${grpcAddress}` })),
  createClient(ChatService, createConnectTransport({ baseUrl: `http://${httpAddress}`, httpVersion: "1.1" })),
] as const;

const counts = { honest: 0, cancelled: 0, shots: 0, floods: 0 };
const failures = new Map<string, number>();
let latencies: number[] = [];

function countFailure(error: unknown): void {
  const { code, rawMessage } = ConnectError.from(error);
  const name = `${Code[code]}: ${rawMessage}`;
  failures.set(name, (failures.get(name) ?? 0) + 1);
}

/** Repeats work until the end. */
async function repeat(work: (round: number) => Promise<unknown>, pauseMs = 0): Promise<void> {
  for (let round = 0; performance.now() < end; round++) {
    await work(round);
    if (pauseMs > 0) await delay(pauseMs, undefined, { signal: ended }).catch(() => {});
  }
}

/** An honest call: a whole response or a stream, in turns. */
async function callHonestly(client: Client<typeof ChatService>, round: number): Promise<void> {
  const chat = scriptEcho({ text: "word ", repeat: 40, first_delay_ms: 5, delay_ms: 2 });
  const begin = performance.now();
  try {
    if (round % 2 === 0) await client.completeChat({ chat }, { timeoutMs: 30_000 });
    else for await (const _ of client.streamChat({ chat }, { timeoutMs: 30_000 }));
    latencies.push(performance.now() - begin);
  } catch (error) {
    countFailure(error);
  }
  counts.honest++;
}

/** A stream that its caller cancels after the first event. */
async function cancel(client: Client<typeof ChatService>): Promise<void> {
  const gone = new AbortController();
  try {
    const chat = scriptEcho({ text: "a b", stall: { after: 1 } });
    for await (const _ of client.streamChat({ chat }, { signal: gone.signal })) gone.abort();
  } catch (error) {
    if (ConnectError.from(error).code !== Code.Canceled) countFailure(error);
  }
  counts.cancelled++;
}

const portOf = (address: string): number => Number(address.split(":")[1]);

/** Opens connections that send `bytes` and then nothing, and closes them after some seconds. */
async function idle(address: string, count: number, bytes: string): Promise<void> {
  const sockets = Array.from({ length: count }, () => {
    const socket = connectTcp({ host: "127.0.0.1", port: portOf(address), localAddress: "127.0.0.2" });
    socket.on("error", () => {}).resume();
    if (bytes !== "") socket.write(bytes);
    return socket;
  });
  await delay(5000);
  for (const socket of sockets) socket.destroy();
}

/** Sends requests over one HTTP/2 connection, and closes it after some seconds. */
async function requests(count: number, headers: Record<string, string>, body: Buffer): Promise<void> {
  const session = connectHttp2(`http://${grpcAddress}`);
  session.on("error", () => {});
  for (let index = 0; index < count && !session.closed; index++) {
    const path = "/dragoman.v1.ChatService/StreamChat";
    const fields = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
    const stream = session.request({ ...fields, ...headers });
    stream.on("error", () => {}).resume();
    stream.write(body);
  }
  await delay(5000);
  session.destroy();
}

/** Streams without end whose client does not read. */
async function unread(count: number): Promise<void> {
  const chat = scriptEcho({ text: "word ", repeat: 100_000, first_delay_ms: 0, delay_ms: 0 });
  const streams = await Promise.all(Array.from({ length: count }, () => openGrpcStream(grpcAddress, chat)));
  await delay(5000);
  for (const stream of streams) stream.destroy();
}

function message(flags: number, bytes: Buffer, length = bytes.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, bytes]);
}

const floods: readonly (() => Promise<void>)[] = [
  () => idle(grpcAddress, 1000, ""),
  () => idle(httpAddress, 1000, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-"),
  () => requests(400, {}, message(0, Buffer.alloc(1000), 16_000_000)),
  () => requests(60, {}, message(0, Buffer.alloc(2 ** 20), 16_000_000)),
  () => requests(60, { "grpc-encoding": "gzip" }, message(1, gzipSync(Buffer.alloc(15 * 2 ** 20)))),
  () => requests(200, { "x-large": "~".repeat(40_000) }, Buffer.alloc(0)),
  () => unread(50),
];

async function flood(round: number): Promise<void> {
  await floods[round % floods.length]?.();
  counts.floods++;
}

/** Shots of every attack in turns. They may break no law; those that do not end with the process are not told apart. */
async function shootAll(round: number): Promise<void> {
  const attack = attacks[round % attacks.length];
  if (attack === undefined || attack.llmEngine === "v1") return;
  for (const shot of batchOf(attack, seed, round)) {
    if (performance.now() > end) return;
    await shoot(target, shot).catch(() => {});
    counts.shots++;
  }
}

const begin = performance.now();
let before = { cpuSeconds: 0, at: begin };

async function printState(): Promise<void> {
  const report = await target.report();
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(0);
  latencies = [];
  const seconds = (performance.now() - before.at) / 1000;
  const fields = {
    minute: ((performance.now() - begin) / 60_000).toFixed(1),
    "memory MiB": report.rssMiB.toFixed(0),
    "peak MiB": report.peakRssMiB.toFixed(0),
    descriptors: report.descriptors,
    "longest turn ms CPU": report.longestTurnMs.toFixed(0),
    "longest gap ms": report.longestGapMs.toFixed(0),
    "CPU share": ((report.cpuSeconds - before.cpuSeconds) / seconds).toFixed(2),
    calls: report.begun,
    running: report.running,
    "honest p50/p99 ms": `${at(0.5)}/${at(0.99)}`,
    ...counts,
    failed: [...failures.values()].reduce((sum, count) => sum + count, 0),
  };
  before = { cpuSeconds: report.cpuSeconds, at: performance.now() };
  process.stdout.write(
    `${Object.entries(fields)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ")}\n`,
  );
}

await printState();
await Promise.all([
  ...clients.flatMap((client) => [
    ...Array.from({ length: 4 }, () => repeat((round) => callHonestly(client, round), 50)),
    repeat(() => cancel(client), 20),
  ]),
  repeat(flood, 10_000),
  repeat(shootAll),
  repeat(shootAll),
  repeat(async () => {
    await delay(Number(values.seconds) * 1000, undefined, { signal: ended }).catch(() => {});
    await printState();
  }),
]);
const problems = await watch.check([]);
process.stdout.write("after the end:\n");
await printState();
for (const [name, count] of failures) process.stdout.write(`honest calls that failed: ${count} × ${name}\n`);
for (const problem of problems) process.stdout.write(`${problem.slice(0, 1000)}\n`);
process.exitCode = failures.size + problems.length > 0 ? 1 : 0;

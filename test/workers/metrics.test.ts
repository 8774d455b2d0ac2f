import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, it, vi } from "vitest";
import { cpuMicroseconds } from "../../bench/usage.ts";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { processDefinitions } from "../../src/telemetry/metrics/process-metrics.ts";
import { MetricsGatherer } from "../../src/workers/metrics-gatherer.ts";
import { ask, scriptEcho } from "../support/requests.ts";
import { startWorkers, type Workers } from "./harness.ts";

// Each test starts several processes.
vi.setConfig({ testTimeout: 60_000 });

/** Creates a client with a connection of its own, which is another worker's than the last. */
const connect = ({ service }: Workers) =>
  createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));

const page = async (address: string | undefined) =>
  (await fetch(`http://${address}/metrics`, { headers: { connection: "close" } })).text();

it("is on telemetry.metrics_address for all workers, and not on the HTTP listener", async () => {
  const workers = await startWorkers(2, "telemetry: { metrics_address: 127.0.0.1:0 }\n");
  const { service } = workers;
  const [, address] = service.lines.map((line) => /^metrics +http:\/\/(.+)\/metrics$/.exec(line)).find(Boolean) ?? [];
  await Promise.all(
    Array.from({ length: 4 }, () => connect(workers).completeChat({ chat: ask("echo/echo", "hello") })),
  );
  // Connections in turn reach each of two workers.
  for (let count = 0; count < 4; count++) {
    await expect.poll(async () => /^dragoman_calls_total\{.*\} 4$/m.test(await page(address))).toBe(true);
  }
  expect((await fetch(`http://${service.httpAddress}/metrics`)).status).toBe(404);
});

it.skipIf(process.platform !== "linux")("has the CPU time of the supervisor and of all workers", async () => {
  const workers = await startWorkers(2);
  const pids = [workers.service.child.pid ?? 0, ...workers.pids()];
  const used = pids.reduce((sum, pid) => sum + cpuMicroseconds(pid), 0) / 1e6;
  const [, total] = /^process_cpu_seconds_total (.+)$/m.exec(await page(workers.service.httpAddress)) ?? [];
  expect(Number(total)).toBeGreaterThanOrEqual(used);
});

it("adds what the supervisor itself has to what its workers have, and keeps the counts of those that ended", async () => {
  const snapshot = (cpu: number, memory: number) =>
    [processDefinitions.cpu, processDefinitions.memory].map((definition, index) => {
      return { definition, numbers: [{ labels: [], value: [cpu, memory][index] ?? 0 }], histograms: [] };
    });
  const gatherer = new MetricsGatherer({ ask: () => [], own: () => snapshot(1, 10) });
  gatherer.receive(1, snapshot(5, 100));
  gatherer.receive(2, snapshot(7, 1000));
  const read = async () => (await gatherer.gather()).map(({ numbers }) => numbers[0]?.value);
  expect(await read()).toEqual([13, 1110]);
  gatherer.leave(1);
  expect(await read()).toEqual([13, 1010]);
});

/** Opens a connection that stays with its worker. */
async function openSocket({ service }: Workers): Promise<Socket> {
  const [host, port] = service.httpAddress.split(":");
  const socket = connectSocket(Number(port), host).setEncoding("utf8");
  await once(socket, "connect");
  return socket;
}

/** Sends a request, and resolves with the response, up to where its text matches. */
async function request(socket: Socket, path: string, until: RegExp): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  let text = "";
  for (;;) {
    if (until.test(text)) return text;
    text += (await Promise.race([once(socket, "data"), once(socket, "close").then(() => "closed")]))[0];
  }
}

it("has what the worker counted if the supervisor does not respond and then dies", async () => {
  const workers = await startWorkers(2);
  const { child } = workers.service;
  const kept: Socket[] = [];
  for (let count = 0; count < 2; count++) {
    // Each worker has a call that keeps it running.
    const stalled = connect(workers).streamChat({ chat: scriptEcho({ text: "a b", stall: { after: 1 } }) });
    const events = stalled[Symbol.asyncIterator]();
    await events.next();
    events.next().catch(() => {});
    const socket = await openSocket(workers);
    await request(socket, "/healthz", /200 OK/);
    kept.push(socket);
  }
  child.kill("SIGSTOP");
  const pages = kept.map((socket) => request(socket, "/metrics", /process_start_time_seconds \d/));
  // Each worker has read the request before it answers a later one.
  child.kill("SIGKILL");
  for (const text of await Promise.all(pages)) expect(text).toMatch(/^dragoman_calls_in_flight 1$/m);
  for (const socket of kept) socket.destroy();
  for (const pid of workers.pids()) process.kill(pid, "SIGKILL");
});

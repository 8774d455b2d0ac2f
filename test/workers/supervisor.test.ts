import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ask, scriptEcho } from "../support/requests.ts";
import { runProgram } from "../support/run-program.ts";
import { isAlive, startWorkers, type Workers } from "./harness.ts";

/** Creates a client with a connection of its own. */
const connect = ({ service }: Workers) =>
  createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));

const hello = { chat: ask("echo/echo", "hello") };

const callsOf = ({ service }: Workers) => service.log.filter(({ msg }) => msg === "call");

// Each test starts several processes.
vi.setConfig({ testTimeout: 60_000 });

describe("workers", () => {
  it("share the connections, print the start lines once, and have their number in the log", async () => {
    const workers = await startWorkers(2);
    expect(workers.service.lines.filter((line) => line.startsWith("gRPC"))).toHaveLength(1);
    await Promise.all(Array.from({ length: 8 }, () => connect(workers).completeChat(hello)));
    const url = `http://${workers.service.httpAddress}/readyz`;
    expect((await Promise.all(Array.from({ length: 4 }, () => fetch(url)))).map(({ status }) => status)).toEqual(
      new Array(4).fill(200),
    );
    await expect.poll(() => callsOf(workers)).toHaveLength(8);
    expect(new Set(callsOf(workers).map(({ worker }) => worker))).toEqual(new Set([1, 2]));
  });

  it("start again when killed, and another worker ships at once what they left", async () => {
    const workers = await startWorkers(2);
    const killed = Number(workers.service.log.find(({ worker, pid }) => worker === 1 && pid !== undefined)?.pid);
    const clients = Array.from({ length: 4 }, () => connect(workers));
    const stalled = clients.map((client) => client.completeChat({ chat: scriptEcho({ delay_ms: 600_000 }) }));
    for (const call of stalled) call.catch(() => {});
    await Promise.all(clients.map((client) => client.completeChat(hello)));
    process.kill(killed, "SIGKILL");
    await workers.started(3);
    await workers.service.logLine(
      ({ msg, lost, worker }) =>
        msg === "took over the outbox of a process that has ended" && Number(lost) > 0 && worker === 2,
    );
    const ended = workers.service.log.find(({ msg }) => msg === "a worker has ended; it starts again");
    expect(ended).toMatchObject({ level: "error", worker: 1, pid: killed, signal: "SIGKILL", restart_ms: 100 });
    await Promise.all(Array.from({ length: 4 }, () => connect(workers).completeChat(hello)));
  });

  it("finish streams in progress on SIGTERM, then the program exits with 0", async () => {
    const workers = await startWorkers(2);
    const { child, exited } = workers.service;
    let begun = 0;
    const streams = [connect(workers), connect(workers)].map(async (client) => {
      let last: string | undefined;
      const chat = scriptEcho({ repeat: 50, text: "word ", delay_ms: 10 });
      for await (const { event } of client.streamChat({ chat })) {
        // Both streams run, each in its worker.
        if (event.case === "started" && ++begun === 2) child.kill("SIGTERM");
        last = event.case;
      }
      return last;
    });
    expect(await Promise.all(streams)).toEqual(["completed", "completed"]);
    expect(await exited).toEqual([0, null]);
    expect(workers.pids().filter(isAlive)).toEqual([]);
  });

  it("end at once on a second signal", async () => {
    const workers = await startWorkers(2);
    const { child, exited } = workers.service;
    const stalled = connect(workers).streamChat({ chat: scriptEcho({ text: "a b", stall: { after: 1 } }) });
    const read = async (): Promise<void> => {
      for await (const { event } of stalled) {
        if (event.case !== "started") continue;
        child.kill("SIGTERM");
        child.kill("SIGINT");
      }
    };
    await expect(read()).rejects.toThrow();
    expect(await exited).toEqual([1, null]);
    await expect.poll(() => workers.pids().filter(isAlive)).toEqual([]);
  });

  it("finish their calls and end when the supervisor is killed", async () => {
    const workers = await startWorkers(2);
    const events: (string | undefined)[] = [];
    const chat = scriptEcho({ repeat: 50, text: "word ", delay_ms: 2 });
    for await (const { event } of connect(workers).streamChat({ chat })) {
      if (event.case === "started") workers.service.child.kill("SIGKILL");
      events.push(event.case);
    }
    expect(events.at(-1)).toBe("completed");
    await expect.poll(() => workers.pids().filter(isAlive), { timeout: 10_000 }).toEqual([]);
  });
});

describe("the supervisor", () => {
  it("says once what is wrong with the configuration, and what keeps a worker from listening", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dragoman-workers-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "dragoman.yaml");
    writeFileSync(file, "workers: 3\nlimits: { max_values: none }\n");
    const wrong = await runProgram(["--config", file]);
    expect(wrong).toMatchObject({ status: 1 });
    expect(wrong.error.match(/max_values/g)).toHaveLength(1);

    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" ? address?.port : 0;
    const workers = startWorkers(3, "", { DRAGOMAN_HTTP_ADDRESS: `127.0.0.1:${port}` });
    const { service } = await workers;
    expect(await service.exited).toEqual([1, null]);
    expect([...service.lines, ...service.reports].filter((line) => line.includes("EADDRINUSE"))).toHaveLength(1);
    taken.close();
  });
});

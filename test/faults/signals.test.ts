import { spawnSync } from "node:child_process";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { type ServiceProcess, startCommand, startProcess } from "../support/process.ts";
import { scriptEcho } from "../support/requests.ts";

/** Starts streams that never end, and waits for the first event of each. Returns their results. */
async function startStreams(service: ServiceProcess, count: number): Promise<Promise<unknown>[]> {
  const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
  const chat = scriptEcho({ text: "a b", stall: { after: 1 } });
  const streams = Array.from({ length: count }, () => client.streamChat({ chat })[Symbol.asyncIterator]());
  await Promise.all(streams.map((stream) => stream.next()));
  return streams.map(async (stream) => {
    while (!(await stream.next()).done);
  });
}

it.each([
  ["SIGTERM", "SIGTERM"],
  ["SIGTERM", "SIGINT"],
  ["SIGINT", "SIGINT"],
] as const)("exits at once on a second signal, with a record of each running call: %s, %s", async (first, second) => {
  await using service = await startProcess();
  const results = Promise.allSettled(await startStreams(service, 25));
  service.child.kill(first);
  await service.logged("stopping");
  service.child.kill(second);
  expect(await service.exited).toEqual([1, null]);
  const records = service.log.filter(({ msg }) => msg === "call");
  expect(records).toEqual(
    Array(25).fill(expect.objectContaining({ outcome: "failed", reason: "SHUTTING_DOWN", method: "StreamChat" })),
  );
  await results;
});

// npx gives no case for SIGINT to the command alone: its shell ignores the signal and goes on waiting.
const ctrlC = ["Ctrl-C, which sends SIGINT to all processes", "SIGINT", -1] as const;
const sigterm = ["SIGTERM to the command", "SIGTERM", 1] as const;
const sigint = ["SIGINT to the command", "SIGINT", 1] as const;
// SIGHUP reloads the configuration, but it ends npm and its shell.
const hangUp = ["SIGHUP to all processes, without a terminal", "SIGHUP", -1] as const;

describe.each([
  { name: "npm start", command: ["npm", "start", "--silent"], signals: [sigterm, sigint, ctrlC, hangUp] },
  { name: "npx dragoman", command: ["npx", "--no-install", "dragoman"], signals: [sigterm, ctrlC, hangUp] },
  { name: "bin/dragoman", command: ["bin/dragoman"], signals: [sigterm, sigint, ctrlC] },
])("$name", ({ command, signals }) => {
  it.each(signals)("finishes running calls and leaves no process: %s", async (_name, signal, sign) => {
    await using service = await startCommand(command, { detached: true });
    const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
    const chat = scriptEcho({ text: "word ", repeat: 20, first_delay_ms: 0, delay_ms: 50 });
    let last: string | undefined;
    for await (const { event } of client.streamChat({ chat })) {
      if (event.case === "started") process.kill(sign * (service.child.pid ?? Number.NaN), signal);
      last = event.case;
    }
    expect(last).toBe("completed");
    // Resolves when no process has the output open any more.
    await service.exited;
    // SIGHUP begins a reload, which the end of npm can interrupt.
    const others = new Set(["call", "configuration reloaded"]);
    const messages = service.log.map(({ msg }) => String(msg)).filter((message) => !others.has(message));
    expect(messages).toEqual(["listening", "stopping", "stopped"]);
  });
});

/** Runs a command in a terminal of its own, with the output of this process. Closes the terminal on SIGUSR1. */
const inTerminal = `
import os, pty, signal, sys
out, err = os.dup(1), os.dup(2)
pid, terminal = pty.fork()
if pid == 0:
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.execvp(sys.argv[1], sys.argv[1:])
os.close(out)
os.close(err)
os.close(1)
signal.signal(signal.SIGUSR1, lambda *_: os.close(terminal))
os.waitpid(pid, 0)
`;

/** Prints the id of the process that it becomes as the first line of the log. */
const script = 'echo "{\\"pid\\": $$}"; exec bin/dragoman';

const hasPython = spawnSync("python3", ["--version"]).status === 0;

describe.skipIf(!hasPython)("in a terminal (skipped if python3 is not installed)", () => {
  it.each([
    { command: ["npm", "start", "--silent"] },
    { command: ["npx", "--no-install", "dragoman"] },
    { command: ["bin/dragoman"] },
  ])("stops when the terminal closes: $command", async ({ command }) => {
    await using service = await startCommand(["python3", "-c", inTerminal, ...command], { detached: true });
    service.child.kill("SIGUSR1");
    await service.exited;
    expect(service.log.map(({ msg }) => msg)).toContain("stopping");
    expect(service.log.map(({ msg }) => msg)).not.toContain("configuration reloaded");
  });

  it("reloads on SIGHUP while the terminal is open", async () => {
    await using service = await startCommand(["python3", "-c", inTerminal, "sh", "-c", script], { detached: true });
    const { pid } = await service.logLine(({ pid }) => pid !== undefined);
    process.kill(Number(pid), "SIGHUP");
    expect(await service.logLine(({ msg }) => msg === "configuration reloaded")).toMatchObject({
      trigger: "signal",
      generation: 1,
      keys: [],
    });
    process.kill(Number(pid), "SIGTERM");
    await service.exited;
  });
});

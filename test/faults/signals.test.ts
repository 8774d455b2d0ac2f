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
  await service.logged("shutting down; a second signal exits at once");
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
const hangUp = ["SIGHUP to all processes, as from a terminal that closes", "SIGHUP", -1] as const;

describe.each([
  { name: "npm start", command: ["npm", "start", "--silent"], signals: [sigterm, sigint, ctrlC, hangUp] },
  { name: "npx dragoman", command: ["npx", "--no-install", "dragoman"], signals: [sigterm, ctrlC, hangUp] },
  { name: "bin/dragoman", command: ["bin/dragoman"], signals: [sigterm, sigint, ctrlC, hangUp] },
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
    const messages = service.log.map(({ msg }) => msg);
    expect(messages.filter((message) => message !== "call")).toEqual(["shutting down; a second signal exits at once"]);
  });
});

import { writeFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import { Agent, request } from "undici";
import { expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ask } from "../support/requests.ts";
import { startWorkers } from "./harness.ts";

/** Rounds in which all workers are replaced. `RESTART_ROUNDS=20` makes 20. */
const rounds = Number(process.env.RESTART_ROUNDS ?? 2);

const { input, output, name, parent } = ChatService.method.completeChat;
const path = `/${parent.typeName}/${name}`;
const chat = ask("echo/echo", "hello");

/** Calls by grpc-js, as a backend does: one client, whose connection changes. */
function createGrpcCaller(address: string) {
  const client = new Client(address, credentials.createInsecure());
  const encode = (value: Uint8Array) => Buffer.from(value);
  const body = toBinary(input, create(input, { chat }));
  return {
    call: () =>
      new Promise<string>((resolve, reject) => {
        client.makeUnaryRequest(
          path,
          encode,
          (bytes) => fromBinary(output, bytes),
          body,
          (error, response) => {
            if (error) reject(error);
            else resolve(response?.completion?.choices[0]?.message?.parts[0]?.kind.case ?? "");
          },
        );
      }),
    close: async () => client.close(),
  };
}

/** Calls over HTTP/1.1, with connections that stay open. */
function createHttpCaller(address: string) {
  const dispatcher = new Agent({ connections: 2 });
  const body = JSON.stringify({
    chat: { model: "echo/echo", messages: [{ role: "ROLE_USER", parts: [{ text: "hello" }] }] },
  });
  return {
    async call() {
      const options = { method: "POST", headers: { "content-type": "application/json" }, body, dispatcher } as const;
      const response = await request(`http://${address}${path}`, options);
      await response.body.text();
      if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
      return "text";
    },
    close: () => dispatcher.close(),
  };
}

it(`replaces all workers ${rounds} times under load without a failed call`, async () => {
  const workers = await startWorkers(2);
  const { service } = workers;
  const callers = [
    ...Array.from({ length: 4 }, () => createGrpcCaller(service.grpcAddress)),
    ...Array.from({ length: 4 }, () => createHttpCaller(service.httpAddress)),
  ];
  let isOver = false;
  let calls = 0;
  const failures: unknown[] = [];
  const running = callers.map(async ({ call, close }) => {
    while (!isOver) {
      calls++;
      await call().catch((error: unknown) => failures.push(String(error)));
    }
    await close();
  });
  const count = (message: string) => service.log.filter(({ msg }) => msg === message).length;
  for (let round = 1; round <= rounds; round++) {
    service.child.kill("SIGUSR2");
    await service.logLine(({ msg }) => msg === "all workers have been restarted" && count(String(msg)) === round);
  }
  isOver = true;
  await Promise.all(running);
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(100);
  expect(new Set(workers.pids()).size).toBe(2 + 2 * rounds);
}, 120_000);

it("keeps the old workers if a new one does not start", async () => {
  const workers = await startWorkers(2);
  const { service, file } = workers;
  writeFileSync(file, "workers: 2\nlimits: { max_values: none }\n");
  service.child.kill("SIGUSR2");
  await service.logLine(({ msg, worker }) => msg === "a new worker did not start; the old ones stay" && worker === 1);
  const { call, close } = createGrpcCaller(service.grpcAddress);
  expect(await call()).toBe("text");
  await close();
  expect(workers.pids()).toHaveLength(2);
}, 60_000);

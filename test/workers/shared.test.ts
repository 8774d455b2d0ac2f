import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, it, vi } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { EmbeddingService } from "../../src/gen/dragoman/v1/embedding_service_pb.js";
import { embedRequest } from "../support/embedding.ts";
import { ask } from "../support/requests.ts";
import { startWorkers, type Workers } from "./harness.ts";

// Each test starts several processes.
vi.setConfig({ testTimeout: 60_000 });

/** Calls with a connection of its own, which is another worker's than the last. */
const call = async ({ service }: Workers, accountId = ""): Promise<string> => {
  const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
  const chat = ask("echo/echo", "hello", { accountId });
  return client.completeChat({ chat }).then(
    () => "ok",
    (error: unknown) => String(error),
  );
};

/** Returns the sum of all values of a metric. */
const readMetric = async ({ service }: Workers, name: string): Promise<number> => {
  const response = await fetch(`http://${service.httpAddress}/metrics`, { headers: { connection: "close" } });
  return (await response.text())
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
};

it("lets workers share a limit of chats and embeddings, and all of it is there for the calls of any worker", async () => {
  const workers = await startWorkers(3, "accounts: { billing: { limits: { requests_per_minute: 12 } } }\n");
  const results: string[] = [];
  // One client's connection reaches one worker, which needs the shares of the others.
  const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${workers.service.grpcAddress}` }));
  const embeddings = createClient(
    EmbeddingService,
    createGrpcTransport({ baseUrl: `http://${workers.service.grpcAddress}` }),
  );
  for (let count = 0; count < 4; count++) {
    await client.completeChat({ chat: ask("echo/echo", "hello", { accountId: "billing" }) });
    await embeddings.embed(embedRequest("echo/embed", ["hello"], { accountId: "billing" }));
  }
  for (let count = 0; count < 12; count++) results.push(await call(workers, "billing"));
  const admitted = results.filter((result) => result === "ok").length;
  // 12 at once, and one more every 5 s.
  expect(admitted).toBeGreaterThanOrEqual(4);
  expect(admitted).toBeLessThan(12);
  expect(results.at(-1)).toMatch(/the account billing may send 12 requests per minute/);
});

it("adds up the metrics of all workers, also of those that have been killed since the last scrape", async () => {
  const workers = await startWorkers(2);
  for (let count = 0; count < 6; count++) expect(await call(workers)).toBe("ok");
  const calls = () => readMetric(workers, "dragoman_calls_total");
  await expect.poll(calls, { timeout: 20_000 }).toBe(6);
  expect(await readMetric(workers, "dragoman_call_duration_seconds_count")).toBe(6);
  process.kill(workers.pids()[0] ?? 0, "SIGKILL");
  await workers.started(3);
  expect(await calls()).toBe(6);
  workers.service.child.kill("SIGUSR2");
  await workers.service.logged("all workers have been restarted");
  for (let count = 0; count < 4; count++) expect(await call(workers)).toBe("ok");
  await expect.poll(calls, { timeout: 20_000 }).toBe(10);
});

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, it, onTestFinished, vi } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { startConfigured } from "../support/configured-process.ts";
import { testFolder } from "../support/databases.ts";
import type { ServiceProcess } from "../support/process.ts";
import { ask } from "../support/requests.ts";
import { startWorkers } from "../workers/harness.ts";

// Each test starts several processes.
vi.setConfig({ testTimeout: 60_000 });

/** Makes calls, each with a connection of its own. */
async function call({ grpcAddress }: ServiceProcess, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const chats = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${grpcAddress}` }));
    await chats.completeChat({ chat: ask("echo/echo", "hello") });
  }
}

async function pendingRecords({ httpAddress }: ServiceProcess): Promise<number> {
  const page = await (await fetch(`http://${httpAddress}/metrics`, { headers: { connection: "close" } })).text();
  return Number(/^dragoman_ledger_pending_records (\d+)$/m.exec(page)?.[1]);
}

/** Store whose database takes no records, because somebody else has locked it. */
function awayStore() {
  const folder = testFolder();
  const path = join(folder, "ledger.db");
  const other = new DatabaseSync(path);
  onTestFinished(() => other.close());
  other.exec("BEGIN EXCLUSIVE");
  return {
    yaml: `store: { database: "sqlite:${path}", outbox: ${join(folder, "outbox")} }\n`,
    comeBack: () => other.exec("ROLLBACK"),
  };
}

it("counts the records that wait for a database that is away, also after a restart, until it is back", async () => {
  const store = awayStore();
  const before = await startConfigured(store.yaml);
  await call(before, 3);
  await expect.poll(() => pendingRecords(before)).toBe(3);
  before.child.kill("SIGKILL");
  await before[Symbol.asyncDispose]();
  await using after = await startConfigured(store.yaml);
  await expect.poll(() => pendingRecords(after), { timeout: 20_000 }).toBe(3);
  await call(after, 2);
  await expect.poll(() => pendingRecords(after)).toBe(5);
  store.comeBack();
  await expect.poll(() => pendingRecords(after), { timeout: 40_000 }).toBe(0);
});

it("counts those of all workers, also of one that was killed", async () => {
  const store = awayStore();
  const workers = await startWorkers(2, store.yaml);
  await call(workers.service, 6);
  await expect.poll(() => pendingRecords(workers.service), { timeout: 20_000 }).toBe(6);
  process.kill(workers.pids()[0] ?? 0, "SIGKILL");
  await workers.started(3);
  await expect.poll(() => pendingRecords(workers.service), { timeout: 20_000 }).toBe(6);
});

import { join } from "node:path";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it, vi } from "vitest";
import { AccountService } from "../../src/gen/dragoman/admin/v1/account_service_pb.js";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { testFolder } from "../support/databases.ts";
import { noPostgres, startPostgres } from "../support/postgres.ts";
import { scriptEcho } from "../support/requests.ts";
import { startWorkers, type Workers } from "./harness.ts";

// Each test starts several processes, and one of them a database.
vi.setConfig({ testTimeout: 240_000 });

const budgetNanos = 100_000_000n;
/** Cost of a call. An output token costs a thousandth of a dollar. */
const callNanos = 2_000_000n;

const configuration = (database: string, outbox: string) => `
store: { database: "${database}", outbox: ${outbox} }
prices: { echo/echo: { input: "0", output: "1000" } }
accounts: { billing: { budgets: [{ amount_usd: "0.1", period: month }] } }
`;

/** Creates clients with a connection of their own, which is another worker's than the last. */
function connect({ service }: Workers) {
  const transport = createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` });
  return { chats: createClient(ChatService, transport), accounts: createClient(AccountService, transport) };
}

const chat = scriptEcho({ text: "one two" }, { accountId: "billing", parameters: { maxOutputTokens: 2 } });

/** Makes calls with each of four connections, until the budget rejects one or `most` were made. Returns their cost. */
async function spend(workers: Workers, most = Number.POSITIVE_INFINITY): Promise<bigint> {
  const costs = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const { chats } = connect(workers);
      let spent = 0n;
      for (let calls = 0; calls < most; calls++) {
        try {
          const { completion } = await chats.completeChat({ chat });
          spent += completion?.usage?.cost?.totalNanos ?? 0n;
        } catch (error) {
          const { reason } = ConnectError.from(error).findDetails(ErrorInfoSchema)[0] ?? {};
          if (reason !== "BUDGET_EXHAUSTED") throw error;
          break;
        }
      }
      return spent;
    }),
  );
  return costs.reduce((sum, cost) => sum + cost, 0n);
}

/** Resolves when both workers know that this is left of the budget. */
async function untilLeft(workers: Workers, nanos: bigint): Promise<void> {
  for (const { accounts } of [connect(workers), connect(workers)]) {
    await expect
      .poll(async () => (await accounts.getAccount({ id: "billing" })).budgetRemainingNanos, { timeout: 60_000 })
      .toEqual([nanos]);
  }
}

async function keepsBudget(database: string, folder: string): Promise<void> {
  const yaml = configuration(database, join(folder, "outbox"));
  let spent = 0n;
  {
    const workers = await startWorkers(2, yaml);
    const { service } = workers;
    await untilLeft(workers, budgetNanos);
    spent += await spend(workers, 5);
    expect(spent).toBe(20n * callNanos);
    const callers = () => new Set(service.log.filter(({ msg }) => msg === "call").map(({ worker }) => worker));
    await expect.poll(callers).toEqual(new Set([1, 2]));
    await untilLeft(workers, budgetNanos - spent);
    process.kill(workers.pids()[0] ?? 0, "SIGKILL");
    await workers.started(3);
    await untilLeft(workers, budgetNanos - spent);
    spent += await spend(workers);
    // Never more than the budget, and nothing of it is lost with the worker that was killed.
    expect(spent).toBe(budgetNanos);
    service.child.kill("SIGUSR2");
    await service.logged("all workers have been restarted");
    await untilLeft(workers, 0n);
    expect(await spend(workers)).toBe(0n);
    service.child.kill("SIGTERM");
    expect(await service.exited).toEqual([0, null]);
  }
  const workers = await startWorkers(2, yaml);
  await untilLeft(workers, 0n);
  expect(await spend(workers)).toBe(0n);
}

describe("a budget of two workers", () => {
  it("is spent once, also if a worker dies, all are replaced, and the program starts again (sqlite)", async () => {
    const folder = testFolder();
    await keepsBudget(`sqlite:${join(folder, "dragoman.db")}`, folder);
  });

  it.skipIf(noPostgres)(
    "is spent once, also if a worker dies, all are replaced, and the program starts again (postgres)",
    async () => {
      await using postgres = await startPostgres();
      await keepsBudget(await postgres.createDatabase(), testFolder());
    },
  );
});

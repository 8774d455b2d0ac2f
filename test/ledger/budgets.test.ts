import { createHash } from "node:crypto";
import { join } from "node:path";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { AccountService } from "../../src/gen/dragoman/admin/v1/account_service_pb.js";
import { BudgetPeriod } from "../../src/gen/dragoman/admin/v1/limits_pb.js";
import { UsageService } from "../../src/gen/dragoman/admin/v1/usage_service_pb.js";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { startConfigured } from "../support/configured-process.ts";
import { testFolder } from "../support/databases.ts";
import { noPostgres, startPostgres } from "../support/postgres.ts";
import type { ServiceProcess } from "../support/process.ts";
import { scriptEcho } from "../support/requests.ts";

const sha256 = createHash("sha256").update("secret").digest("hex");
const budgetNanos = 10_000_000n;

/** A budget in three kinds of periods, and one of the key. An output token costs a thousandth of a dollar. */
const configuration = (database: string, outbox: string) => `
store: { database: "${database}", outbox: ${outbox} }
prices: { echo/echo: { input: "0", output: "1000" } }
authentication:
  mode: keys
  keys: [{ id: k, sha256: ${sha256}, role: admin, budgets: [{ amount_usd: "0.01", period: month }] }]
accounts:
  billing:
    budgets:
      - { amount_usd: "0.01", period: month, time_zone: Europe/Berlin }
      - { amount_usd: "0.01", period: quarter, time_zone: Asia/Kathmandu }
`;

function clientsOf({ grpcAddress }: ServiceProcess) {
  const headers = { authorization: "Bearer secret" };
  const transport = createGrpcTransport({
    baseUrl: `http://${grpcAddress}`,
    interceptors: [
      (next) => (request) => {
        for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
        return next(request);
      },
    ],
  });
  const chats = createClient(ChatService, transport);
  const accounts = createClient(AccountService, transport);
  const usage = createClient(UsageService, transport);
  return {
    accounts,
    /** Makes a call, and returns its cost, with what is left of the budgets before it ends. */
    async call(accountId: string): Promise<{ readonly costNanos: bigint; readonly leftNanos: bigint }> {
      let left = "";
      const chat = scriptEcho({ text: "one two" }, { accountId, parameters: { maxOutputTokens: 2 } });
      const { completion } = await chats.completeChat(
        { chat },
        { onHeader: (header) => (left = header.get("dragoman-budget-remaining-nanos") ?? "") },
      );
      return { costNanos: completion?.usage?.cost?.totalNanos ?? 0n, leftNanos: BigInt(left) };
    },
    /** Resolves when the ledger has this number of calls. */
    async untilRecorded(count: number): Promise<void> {
      while ((await usage.listCalls({})).calls.length < count);
    },
    /** Resolves when all budgets of an account have this left: the first answers do not wait longer than a second. */
    async untilLeft(id: string, nanos: bigint): Promise<void> {
      for (;;) {
        const { budgetRemainingNanos } = await accounts.getAccount({ id });
        if (budgetRemainingNanos.length > 0 && budgetRemainingNanos.every((left) => left === nanos)) return;
      }
    },
  };
}

const reasonOf = (error: unknown) => ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.reason;

// The program takes some seconds to start on a busy machine.
describe("budgets without Redis", { timeout: 240_000 }, () => {
  it("go on where they were when the process was killed and starts again", async () => {
    const folder = testFolder();
    const yaml = configuration(`sqlite:${join(folder, "dragoman.db")}`, join(folder, "outbox"));
    let spent = 0n;
    for (let start = 0; start < 2; start++) {
      await using service = await startConfigured(yaml);
      const { call, untilLeft } = clientsOf(service);
      await untilLeft("billing", budgetNanos - spent);
      for (let index = 0; index < 2; index++) spent += (await call("billing")).costNanos;
      await untilLeft("billing", budgetNanos - spent);
      service.child.kill("SIGKILL");
      await service.exited;
    }
    expect(spent).toBe(8_000_000n);
    await using service = await startConfigured(yaml);
    const { accounts, call, untilLeft } = clientsOf(service);
    await untilLeft("billing", budgetNanos - spent);
    // The key has a budget too, also for calls with other accounts. It has spent the same.
    expect((await call("other")).leftNanos).toBe(0n);
    expect(await call("other").catch(reasonOf)).toBe("BUDGET_EXHAUSTED");

    // A budget that begins now has what the account spent before, in this process too.
    const budgets = [{ amountNanos: budgetNanos, period: BudgetPeriod.MONTH }];
    await accounts.createAccount({ account: { id: "other", budgets } });
    await untilLeft("other", budgetNanos - 2_000_000n);
  });

  it.skipIf(noPostgres)("know what was spent as soon as the database is back, and count no call twice", async () => {
    await using postgres = await startPostgres();
    const yaml = configuration(await postgres.createDatabase(), join(testFolder(), "outbox"));
    let spent = 0n;
    {
      await using service = await startConfigured(yaml);
      spent += (await clientsOf(service).call("billing")).costNanos;
      service.child.kill("SIGTERM");
      await service.exited;
    }
    await postgres.stop();
    await using service = await startConfigured(yaml);
    const { call, untilLeft, untilRecorded } = clientsOf(service);
    await service.logged("the ledger does not respond: budgets count only what this process spends");
    const { costNanos, leftNanos } = await call("billing");
    expect(leftNanos).toBe(budgetNanos - costNanos);
    spent += costNanos;
    await postgres.start();
    await service.logged("the ledger responds again: budgets count what was spent before");
    await untilLeft("billing", budgetNanos - spent);
    spent += (await call("billing")).costNanos;
    // The next read of the ledger finds the calls of this process, too.
    await untilRecorded(3);
    await untilLeft("billing", budgetNanos - spent);
    expect(spent).toBe(6_000_000n);
  });
});

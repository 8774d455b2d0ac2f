import { type Kysely, sql, type Transaction } from "kysely";
import type { Database } from "../../database/database.ts";
import { GatewayError } from "../../errors.ts";
import type { AccountStore } from "../account-store.ts";
import { changesAfter, keyOf } from "./read-changes.ts";
import { accountJson, keyJson } from "./settings-json.ts";
import { type AccountTables, timeOf } from "./tables.ts";

/** Keys and accounts in a database. Every method rejects with STORE_UNAVAILABLE if the database does not respond. */
export function createAccountStore(database: Database): AccountStore {
  async function open(): Promise<Kysely<AccountTables>> {
    return (await database.open()).$extendTables<AccountTables>();
  }
  /**
   * Runs a change. The row of `revision` is its lock, so that changes of all processes happen one after the other, and
   * become visible in the order of their revisions.
   */
  async function change<Result>(
    run: (tables: Transaction<AccountTables>, revision: bigint) => Promise<Result>,
  ): Promise<Result> {
    const tables = await open();
    return tables.transaction().execute(async (transaction) => {
      const { value } = await transaction
        .updateTable("revision")
        .set({ value: sql`value + 1` })
        .returning("value")
        .executeTakeFirstOrThrow();
      return run(transaction, value);
    });
  }

  return {
    changesAfter: (known) => available(async () => changesAfter(await open(), known)),

    createKey: (key) =>
      available(() =>
        change(async (tables, revision) => {
          const { id, createdMs, revokedMs: _, secrets, ...settings } = key;
          const row = { id, settings: keyJson(settings), create_time: timeOf(createdMs), revoke_time: null, revision };
          await tables.insertInto("api_key").values(row).execute();
          for (const { sha256 } of secrets) await insertSecret(tables, id, sha256);
        }),
      ),

    rotateKey: (id, { sha256, nowMs, formerExpiresMs }) =>
      available(() =>
        change(async (tables, revision) => {
          const { numUpdatedRows } = await tables
            .updateTable("api_key")
            .set({ revision })
            .where("id", "=", id)
            .where("revoke_time", "is", null)
            .executeTakeFirstOrThrow();
          if (numUpdatedRows === 0n) return undefined;
          const secrets = tables.deleteFrom("api_key_secret").where("key_id", "=", id);
          if (formerExpiresMs <= nowMs) await secrets.execute();
          else {
            await secrets.where("expire_time", "is not", null).execute();
            const expire_time = timeOf(formerExpiresMs);
            await tables.updateTable("api_key_secret").set({ expire_time }).where("key_id", "=", id).execute();
          }
          await insertSecret(tables, id, sha256);
          return keyOf(tables, id);
        }),
      ),

    revokeKey: (id, nowMs) =>
      available(() =>
        change(async (tables, revision) => {
          await tables
            .updateTable("api_key")
            .set({ revision, revoke_time: timeOf(nowMs) })
            .where("id", "=", id)
            .where("revoke_time", "is", null)
            .execute();
          return keyOf(tables, id);
        }),
      ),

    createAccount: (account) =>
      available(() =>
        change(async (tables, revision) => {
          const { createdMs, ...settings } = account;
          const { id } = settings;
          const { numInsertedOrUpdatedRows: created = 0n } = await tables
            .insertInto("account")
            .values({ id, settings: accountJson(settings), create_time: timeOf(createdMs), revision })
            .onConflict((conflict) => conflict.column("id").doNothing())
            .executeTakeFirstOrThrow();
          return created > 0n;
        }),
      ),

    updateAccount: (settings) =>
      available(() =>
        change(async (tables, revision) => {
          const row = await tables
            .updateTable("account")
            .set({ settings: accountJson(settings), revision })
            .where("id", "=", settings.id)
            .returning("create_time")
            .executeTakeFirst();
          return row && { ...settings, createdMs: Date.parse(row.create_time) };
        }),
      ),
  };
}

/** Adds the secret of a key that is its current one. */
async function insertSecret(tables: Transaction<AccountTables>, id: string, sha256: string): Promise<void> {
  await tables.insertInto("api_key_secret").values({ sha256, key_id: id, expire_time: null }).execute();
}

async function available<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (cause) {
    const message = "the database of keys and accounts does not respond; retry later";
    throw new GatewayError("STORE_UNAVAILABLE", message, { retryAfterMs: 1000, cause });
  }
}

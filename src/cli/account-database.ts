import type { AccountStore } from "../accounts/account-store.ts";
import { createAccountStore } from "../accounts/sql/database-store.ts";
import type { Config } from "../config/config.ts";
import { addressOf } from "../config/store.ts";
import { createDatabase } from "../database/database.ts";
import { GatewayError } from "../errors.ts";
import { CommandError } from "./failures.ts";
import { reasonOf } from "./read-ledger.ts";

/**
 * Runs a command with the keys and accounts in the database of a configuration, which it creates if it does not exist. A
 * service need not run. Rejects with CommandError if the database cannot be used, or if it has no such key.
 */
export async function withAccountStore<Result>(
  { store }: Pick<Config, "store">,
  run: (accounts: AccountStore) => Promise<Result>,
): Promise<Result> {
  const database = createDatabase(addressOf(store.database));
  try {
    return await run(createAccountStore(database));
  } catch (error) {
    if (error instanceof GatewayError && error.reason === "RESOURCE_NOT_FOUND") throw new CommandError(error.message);
    throw new CommandError(`cannot use the database ${store.database.name}: ${reasonOf(error)}`);
  } finally {
    await database.close();
  }
}

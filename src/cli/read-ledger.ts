import { existsSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { addressOf } from "../config/store.ts";
import { createDatabase } from "../database/database.ts";
import { createUsageReader } from "../ledger/sql/reader.ts";
import type { UsageReader } from "../ledger/usage-reader.ts";
import { CommandError } from "./failures.ts";

/** Reads the ledger in the database of a configuration. Rejects with CommandError if the database cannot be read. */
export async function readLedger<Result>(
  { store }: Pick<Config, "store">,
  read: (reader: UsageReader) => Promise<Result>,
): Promise<Result> {
  const settings = store.database;
  if (settings.kind === "sqlite" && !existsSync(settings.path)) {
    const advice = "start the service, or name the service's configuration with --config";
    throw new CommandError(`there is no ledger yet: the file ${settings.path} does not exist; ${advice}`);
  }
  const database = createDatabase(addressOf(settings));
  try {
    return await read(createUsageReader(database));
  } catch (error) {
    throw new CommandError(`cannot read the ledger in ${settings.name}: ${reasonOf(error)}`);
  } finally {
    await database.close();
  }
}

/** Returns the message of the error that caused an error. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return reasonOf(error.cause);
  // Errors of connections with several addresses have only a code.
  return error.message || ("code" in error ? String(error.code) : error.name);
}

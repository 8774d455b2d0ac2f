import type { Kysely } from "kysely";
import type { Changes, StoredAccount, StoredKey, StoredSecret } from "../account-store.ts";
import type { AccountRow, AccountTables, KeyRow, SecretRow } from "./tables.ts";

/** The functions of read-settings.ts, which is loaded when there is something to read. */
type ReadSettings = typeof import("./read-settings.ts");

/** Most keys, and most accounts, of one portion of changes. */
const portion = 500;

/** Returns a portion of the keys and accounts that changed after a revision. */
export async function changesAfter(tables: Kysely<AccountTables>, known: number): Promise<Changes> {
  const { value: current } = await tables.selectFrom("revision").select("value").executeTakeFirstOrThrow();
  const after = BigInt(known);
  if (current <= after) return { revision: Number(current), keys: [], accounts: [], unreadable: [], more: false };
  const keys = await tables
    .selectFrom("api_key")
    .selectAll()
    .where("revision", ">", after)
    .where("revision", "<=", current)
    .orderBy("revision")
    .limit(portion)
    .execute();
  const accounts = await tables
    .selectFrom("account")
    .selectAll()
    .where("revision", ">", after)
    .where("revision", "<=", current)
    .orderBy("revision")
    .limit(portion)
    .execute();
  // A full portion may be cut: what follows its last row comes next time. Each revision has changed one row.
  const ends = [keys, accounts].flatMap((rows) => (rows.length < portion ? [] : (rows.at(-1)?.revision ?? [])));
  const revision = ends.reduce((least, end) => (end < least ? end : least), current);
  const isIncluded = (row: AccountRow) => row.revision <= revision;
  const secrets = await secretsOf(tables, keys);
  const reader = await import("./read-settings.ts");
  const unreadable: Changes["unreadable"][number][] = [];
  const read = <Row extends AccountRow, Item>(kind: "key" | "account", row: Row, toItem: () => Item): Item[] => {
    try {
      return [toItem()];
    } catch (error) {
      unreadable.push({ kind, id: row.id, why: `its column settings cannot be read (${String(error)})` });
      return [];
    }
  };
  return {
    revision: Number(revision),
    keys: keys.filter(isIncluded).flatMap((row) => read("key", row, () => toKey(row, secrets.get(row.id), reader))),
    accounts: accounts.filter(isIncluded).flatMap((row) => read("account", row, () => toAccount(row, reader))),
    unreadable,
    more: revision < current,
  };
}

/** Returns a key. Undefined: there is none with this id. */
export async function keyOf(tables: Kysely<AccountTables>, id: string): Promise<StoredKey | undefined> {
  const row = await tables.selectFrom("api_key").selectAll().where("id", "=", id).executeTakeFirst();
  if (row === undefined) return undefined;
  return toKey(row, (await secretsOf(tables, [row])).get(id), await import("./read-settings.ts"));
}

/** Returns the secrets of keys, by the id of the key. */
async function secretsOf(
  tables: Kysely<AccountTables>,
  keys: readonly KeyRow[],
): Promise<ReadonlyMap<string, readonly SecretRow[]>> {
  if (keys.length === 0) return new Map();
  const ids = keys.map(({ id }) => id);
  const rows = await tables.selectFrom("api_key_secret").selectAll().where("key_id", "in", ids).execute();
  return Map.groupBy(rows, (row) => row.key_id);
}

function toKey(
  { id, settings, create_time, revoke_time }: KeyRow,
  secrets: readonly SecretRow[] = [],
  { readKeyJson }: ReadSettings,
): StoredKey {
  return {
    ...readKeyJson(settings),
    id,
    createdMs: Date.parse(create_time),
    revokedMs: revoke_time === null ? undefined : Date.parse(revoke_time),
    secrets: secrets.map(toSecret),
  };
}

function toSecret({ sha256, expire_time }: SecretRow): StoredSecret {
  return { sha256, expiresMs: expire_time === null ? undefined : Date.parse(expire_time) };
}

function toAccount({ id, settings, create_time }: AccountRow, { readAccountJson }: ReadSettings): StoredAccount {
  return { ...readAccountJson(id, settings), createdMs: Date.parse(create_time) };
}

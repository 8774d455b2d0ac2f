import { type Kysely, sql } from "kysely";
import type { DatabaseKind } from "../address.ts";
import { columnTypes } from "./column-types.ts";

/**
 * Creates the tables `account`, `api_key`, `api_key_secret` and `revision`. `settings` has the layout of an entry of
 * `accounts` and `authentication.keys` in the configuration. `revision` has one row, whose value each change increments;
 * the row that was changed gets the same value.
 */
export async function createAccounts(database: Kysely<unknown>, kind: DatabaseKind): Promise<void> {
  const { text, integer, time, json } = columnTypes[kind];
  const strict = kind === "sqlite" ? "strict" : "";
  const statements = [
    `create table account (
      id ${text} not null primary key,
      settings ${json} not null,
      create_time ${time} not null,
      revision ${integer} not null
    ) ${strict}`,
    "create index account_revision on account (revision)",
    `create table api_key (
      id ${text} not null primary key,
      settings ${json} not null,
      create_time ${time} not null,
      revoke_time ${time},
      revision ${integer} not null
    ) ${strict}`,
    "create index api_key_revision on api_key (revision)",
    `create table api_key_secret (
      sha256 ${text} not null primary key,
      key_id ${text} not null,
      expire_time ${time}
    ) ${strict}`,
    "create index api_key_secret_key on api_key_secret (key_id)",
    `create table revision (value ${integer} not null) ${strict}`,
    "insert into revision (value) values (0)",
  ];
  for (const statement of statements) await sql.raw(statement).execute(database);
}

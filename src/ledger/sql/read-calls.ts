import { type Kysely, sql } from "kysely";
import type { CallRecord } from "../../gen/dragoman/admin/v1/call_record_pb.js";
import type { CallScope, CallsQuery } from "../usage-reader.ts";
import { fromRow, outcomes } from "./record-row.ts";
import { inScope } from "./scope.ts";
import type { LedgerTables } from "./tables.ts";

/** See `UsageReader.listCalls`. Each page begins at its place in an index, and never skips rows. */
export async function listCalls(
  ledger: Kysely<LedgerTables>,
  query: CallsQuery,
  scope: CallScope,
): Promise<readonly CallRecord[]> {
  const { startMs, endMs, account, keyId, model, outcome, requestId, limit, before } = query;
  let select = ledger
    .selectFrom("call")
    .selectAll()
    .where(inScope(scope))
    .orderBy("start_time", "desc")
    .orderBy("id", "desc")
    .limit(limit);
  if (startMs !== undefined) select = select.where("start_time", ">=", isoTime(startMs));
  if (endMs !== undefined) select = select.where("start_time", "<", isoTime(endMs));
  if (account !== undefined) select = select.where("account", "=", account);
  if (keyId !== undefined) select = select.where("key_id", "=", keyId);
  if (model !== undefined) select = select.where("model", "=", model);
  if (requestId !== undefined) select = select.where("request_id", "=", requestId);
  if (outcome !== undefined) {
    const word = outcomes.word(outcome);
    select = select.where("outcome", "=", word);
    // So that SQLite uses the index of calls that did not succeed.
    if (word !== "ok") select = select.where(sql<boolean>`outcome <> 'ok'`);
  }
  if (before !== undefined)
    select = select.where(sql<boolean>`(start_time, id) < (${isoTime(before.startMs)}, ${before.id})`);
  return (await select.execute()).map(fromRow);
}

/** See `UsageReader.getCall`. */
export async function getCall(
  ledger: Kysely<LedgerTables>,
  id: string,
  scope: CallScope,
): Promise<CallRecord | undefined> {
  const row = await ledger.selectFrom("call").selectAll().where("id", "=", id).where(inScope(scope)).executeTakeFirst();
  return row && fromRow(row);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

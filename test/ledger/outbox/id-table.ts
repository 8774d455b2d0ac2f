import { DatabaseSync } from "node:sqlite";
import { CallOutcome, type CallRecord } from "../../../src/gen/dragoman/admin/v1/call_record_pb.js";
import type { RecordSink } from "../../../src/ledger/record-sink.ts";

/** Sink of several processes: a file with the id and the outcome of each record. */
export class IdTable implements RecordSink {
  readonly name = "table";
  readonly #database: DatabaseSync;

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: 10_000 });
    this.#database.exec(
      "PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS call (id TEXT PRIMARY KEY, outcome TEXT)",
    );
  }

  async store(records: readonly CallRecord[]): Promise<void> {
    this.#database.exec("BEGIN IMMEDIATE");
    const insert = this.#database.prepare("INSERT INTO call VALUES (?, ?) ON CONFLICT DO NOTHING");
    for (const { id, outcome } of records) insert.run(id, CallOutcome[outcome] ?? "");
    this.#database.exec("COMMIT");
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  /** Outcomes by id. */
  get outcomes(): ReadonlyMap<string, string> {
    const rows = this.#database.prepare("SELECT id, outcome FROM call").all();
    return new Map(rows.map(({ id, outcome }) => [String(id), String(outcome)]));
  }
}

/** Which calls count: those of some accounts, or with some keys, that began in a time range. */
export interface SpendingQuery {
  readonly by: "account" | "key";
  /** At least one. */
  readonly ids: readonly string[];
  /** Beginning of the time range in ms since 1970. */
  readonly startMs: number;
  /** End of the time range, which it does not include, in ms since 1970. */
  readonly endMs: number;
}

/** Reads from the ledger what calls have cost. */
export interface SpendingReader {
  /** Returns nanodollars by id, without ids that spent nothing. Rejects if the database does not respond. */
  spentBy(query: SpendingQuery): Promise<ReadonlyMap<string, number>>;
}

type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** What the ledger needs of the log. */
export interface LedgerLog {
  readonly info: Write;
  readonly warn: Write;
}

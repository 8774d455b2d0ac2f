/** Redis, through which replicas share limits and budgets. */
export interface SharedLimitsState {
  /** Whether Redis makes the decisions. Otherwise this process does. */
  readonly shared: boolean;
  /** Since when, in ms since 1970. */
  readonly sinceMs: number;
  /** Replicas, as far as this one knows. */
  readonly replicas: number;
  /** Calls and limits that Redis does not know about yet. */
  readonly pending: number;
}

/** The ledger: its outbox, and the database to which records are shipped. */
export interface LedgerState {
  /** Whether the database takes records. Undefined: not known, because the thread of the database does not respond. */
  readonly databaseResponds: boolean | undefined;
  /** Bytes of records in the outbox that are not shipped yet. Undefined: not known. */
  readonly pendingBytes: number | undefined;
  /** Records and marks that wait for a write to the outbox. */
  readonly waiting: number;
  /** Records that were written to the outbox. */
  readonly written: number;
  /** Records and marks whose write took so long, or failed, that no call waited for it. */
  readonly late: number;
  /** Records that are in no file, and in no database. */
  readonly dropped: number;
}

/** Keys and accounts of the database. */
export interface KeyStoreState {
  /** Whether the last read of the database succeeded. Undefined: there was none yet. */
  readonly databaseResponds: boolean | undefined;
}

/** State of the components behind the service, for the page `/readyz` and for metrics. A service need not have them. */
export interface ComponentStates {
  sharedLimits(): SharedLimitsState | undefined;
  /** Resolves within a second. */
  ledger(): Promise<LedgerState | undefined>;
  keyStore(): KeyStoreState | undefined;
}

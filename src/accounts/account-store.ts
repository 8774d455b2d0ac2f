import type { AccountSettings, KeySettings } from "../config/account.ts";

/** Secret of a key. */
export interface StoredSecret {
  /** SHA-256 of the whole key, in hexadecimal digits. */
  readonly sha256: string;
  /** Time in ms since 1970 from which the secret is rejected. Undefined: as long as its key. */
  readonly expiresMs: number | undefined;
}

/** A key of the database. */
export interface StoredKey extends KeySettings {
  /** Name for people. Empty: none. */
  readonly displayName: string;
  readonly createdMs: number;
  /** Undefined: the key was not revoked. */
  readonly revokedMs: number | undefined;
  /** The current secret, and after a rotation the former one. */
  readonly secrets: readonly StoredSecret[];
}

/** An account of the database. */
export interface StoredAccount extends AccountSettings {
  readonly createdMs: number;
}

/** Keys and accounts that changed. */
export interface Changes {
  /** Revision of the database after these changes. It grows with each change. */
  readonly revision: number;
  readonly keys: readonly StoredKey[];
  readonly accounts: readonly StoredAccount[];
  /** Rows that somebody has changed so that their settings cannot be read. `why`: the reason. */
  readonly unreadable: readonly { readonly kind: "key" | "account"; readonly id: string; readonly why: string }[];
  /** Whether there are further changes, after `revision`. */
  readonly more: boolean;
}

/** How a key gets a new secret. */
export interface Rotation {
  readonly sha256: string;
  readonly nowMs: number;
  /** Time from which the current secret is rejected. An older one ends at once. */
  readonly formerExpiresMs: number;
}

/**
 * Keys and accounts in the database. Arguments and results are plain data, which threads can pass to each other. Every
 * method rejects if the database does not respond.
 */
export interface AccountStore {
  /** Returns what changed after a revision, the oldest changes first, in portions. 0: everything. */
  changesAfter(revision: number): Promise<Changes>;
  createKey(key: StoredKey): Promise<void>;
  /** Returns the rotated key. Undefined: there is no such key, or it was revoked. */
  rotateKey(id: string, rotation: Rotation): Promise<StoredKey | undefined>;
  /** Returns the key, which stays as it is if it was revoked before. Undefined: there is no such key. */
  revokeKey(id: string, nowMs: number): Promise<StoredKey | undefined>;
  /** Returns false, without a change, if there is an account with this id. */
  createAccount(account: StoredAccount): Promise<boolean>;
  /** Replaces the settings of an account, and returns it. Undefined: there is no such account. */
  updateAccount(settings: AccountSettings): Promise<StoredAccount | undefined>;
}

import type { KeySettings } from "../config/account.ts";
import { GatewayError } from "../errors.ts";
import type { AccountStore, StoredKey } from "./account-store.ts";
import { createKeyText, hasIdForm } from "./key-text.ts";

/** Settings of a new key. */
export interface NewKeySettings extends Omit<KeySettings, "id"> {
  /** Name for people. Empty: none. */
  readonly displayName: string;
}

/** A key and its new secret, which nobody can read again. */
export interface KeyWithText {
  readonly key: StoredKey;
  /** What callers send. */
  readonly text: string;
}

type Changes<Method extends keyof AccountStore> = Pick<AccountStore, Method>;

/** Time in ms for which the former secret of a rotated key is accepted, unless the caller says otherwise: a day. */
export const usualFormerMs = 24 * 60 * 60 * 1000;
/** Longest such time in ms: a year. */
export const longestFormerMs = 365 * 24 * 60 * 60 * 1000;

/** Creates a key in the database. */
export async function createKey(store: Changes<"createKey">, settings: NewKeySettings): Promise<KeyWithText> {
  const { id, text, sha256 } = createKeyText();
  const secrets = [{ sha256, expiresMs: undefined }];
  const key = { ...settings, id, createdMs: Date.now(), revokedMs: undefined, secrets };
  await store.createKey(key);
  return { key, text };
}

/**
 * Gives a key of the database a new secret. The former one is accepted for `formerMs`. Throws RESOURCE_NOT_FOUND if there
 * is no such key, or it was revoked.
 */
export async function rotateKey(
  store: Changes<"rotateKey">,
  id: string,
  formerMs: number = usualFormerMs,
): Promise<KeyWithText> {
  const nowMs = Date.now();
  const { text, sha256 } = createKeyText(id);
  const rotation = { sha256, nowMs, formerExpiresMs: nowMs + formerMs };
  const key = hasIdForm(id) ? await store.rotateKey(id, rotation) : undefined;
  if (key === undefined) throw noKey(id, "the database has no such key, or it was revoked; create a new one");
  return { key, text };
}

/** Revokes a key of the database. Throws RESOURCE_NOT_FOUND if there is no such key. */
export async function revokeKey(store: Changes<"revokeKey">, id: string): Promise<StoredKey> {
  const key = hasIdForm(id) ? await store.revokeKey(id, Date.now()) : undefined;
  if (key === undefined) throw noKey(id, "the database has no such key");
  return key;
}

/** Creates the error for a key that cannot be changed. `why`: also says what to do instead. */
export function noKey(id: string, why: string): GatewayError {
  return new GatewayError("RESOURCE_NOT_FOUND", `key ${id}: ${why}`, { metadata: { key: id } });
}

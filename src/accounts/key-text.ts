import { hash, randomBytes } from "node:crypto";

/** A new API key. Only its text is secret. */
interface NewKey {
  readonly id: string;
  /** What callers send: `sk-drgm-<id>-<secret>`. */
  readonly text: string;
  /** SHA-256 of the text, in hexadecimal digits. */
  readonly sha256: string;
}

/** Creates an API key with a random secret of 256 bits. Default id: a random one of 128 bits. */
export function createKeyText(id = randomBytes(16).toString("hex")): NewKey {
  const text = `sk-drgm-${id}-${randomBytes(32).toString("hex")}`;
  return { id, text, sha256: sha256Of(text) };
}

/** Whether a text has the form of the ids of keys that the database can have. */
export function hasIdForm(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

/** Whether a text has the form of the keys that the database can have. */
export function hasKeyForm(text: string): boolean {
  return /^sk-drgm-[0-9a-f]{32}-[0-9a-f]{64}$/.test(text);
}

/** Returns the SHA-256 of an API key in hexadecimal digits, by which keys are found. */
export function sha256Of(text: string): string {
  return hash("sha256", text, "hex");
}

import { createHash } from "node:crypto";

/**
 * Converts a tool call id to the format that Mistral's models require: exactly nine letters and digits. Keeps Mistral's
 * own ids. Hashes ids of other providers, so that a tool call and its result get the same id.
 */
export function toToolCallId(id: string): string {
  if (/^[a-zA-Z0-9]{9}$/.test(id)) return id;
  // Nine base-36 digits hold 46 bits of the hash.
  const digits = BigInt(`0x${createHash("sha256").update(id).digest("hex")}`).toString(36);
  return digits.slice(-9).padStart(9, "0");
}

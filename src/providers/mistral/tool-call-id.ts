import { createHash } from "node:crypto";

/**
 * A tool call's id as Mistral's models want it back: exactly nine letters and digits. Their own ids stay; those of other
 * providers become a hash, the same for a call and its result.
 */
export function toToolCallId(id: string): string {
  if (/^[a-zA-Z0-9]{9}$/.test(id)) return id;
  // Nine digits of base 36 hold 46 bits.
  const digits = BigInt(`0x${createHash("sha256").update(id).digest("hex")}`).toString(36);
  return digits.slice(-9).padStart(9, "0");
}

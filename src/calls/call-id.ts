import { randomUUID } from "node:crypto";
import type { Operation } from "../ledger/record.ts";

/** Beginnings of the ids of calls. */
export const callIdPrefixes = {
  chat: "chatcmpl-",
  count_tokens: "chatcmpl-",
  embeddings: "embd-",
} as const satisfies Record<Operation, string>;

/**
 * Returns the id of a new call: a prefix and the 32 hexadecimal digits of a UUID with the time (version 7, RFC 9562), so
 * that ids sort by time and an index of a database grows at its end.
 */
export function createCallId(prefix: string, now: number = Date.now()): string {
  // randomUUID takes its random bits from a pool, and sets the two bits of the variant.
  const random = randomUUID();
  const time = now.toString(16).padStart(12, "0");
  return `${prefix}${time}7${random.slice(15, 18)}${random.slice(19, 23)}${random.slice(24)}`;
}

import type { CountContext } from "../../src/tokens/counting-limits.ts";

/** A call that counts tokens, with the limits that are the defaults of the configuration. */
export const counting: CountContext = {
  holder: "account:a",
  signal: new AbortController().signal,
  limits: { maxQueueBytes: 32 * 2 ** 20, maxWorkMs: 2000, maxTimeMs: 5000 },
};

import type { Call } from "./call.ts";

/**
 * The response headers of a call: its request id, and what the provider of the last upstream request says of its rate
 * limits, by the names that OpenAI and Cerebras use.
 */
export function answerHeaders({ requestId, attempts }: Call): readonly (readonly [name: string, value: string])[] {
  const limits = Object.entries(attempts.at(-1)?.providerLimits ?? {});
  return [["x-request-id", requestId], ...limits.filter(([name]) => name.startsWith("x-ratelimit-"))];
}

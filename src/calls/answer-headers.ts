import type { Call } from "./call.ts";

/**
 * Response headers of a call: its request id and the provider's rate limits from the last upstream request. The rate
 * limit headers have the names that OpenAI and Cerebras use.
 */
export function answerHeaders({ requestId, attempts }: Call): readonly (readonly [name: string, value: string])[] {
  const limits = Object.entries(attempts.at(-1)?.providerLimits ?? {});
  return [["x-request-id", requestId], ...limits.filter(([name]) => name.startsWith("x-ratelimit-"))];
}

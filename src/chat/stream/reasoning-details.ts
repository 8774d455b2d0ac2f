/**
 * Entry of OpenRouter's `reasoning_details`: text, a summary or encrypted reasoning. The caller must send it back
 * unchanged, with its turn. https://openrouter.ai/docs/use-cases/reasoning-tokens
 */
export type ReasoningDetail = Readonly<Record<string, unknown>>;

/** Encodes the details of one delta as provider state. The states of several deltas can be concatenated. */
export function encodeDetails(details: readonly ReasoningDetail[]): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(details)}\n`);
}

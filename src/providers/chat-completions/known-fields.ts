// Fields of a response that Dragoman reads, or that say nothing to a caller. All others become provider metadata, so
// that this list needs no new entry when a server adds a field. Sources of the latter: the types of openai 7.55.0.

/** Fields of a chunk. `obfuscation` is padding; `id` is in the attempt. */
export const chunkFields: ReadonlySet<string> = new Set([
  ...["id", "object", "created", "choices", "usage", "x_groq", "time_info", "service_tier_used", "service_tier"],
  ...["system_fingerprint", "error", "detail", "message", "model", "citations", "search_results", "obfuscation"],
]);

/** Fields of a choice. */
export const choiceFields: ReadonlySet<string> = new Set([
  ...["index", "delta", "message", "finish_reason", "logprobs", "reasoning_logprobs", "error"],
  ...["stop_reason", "matched_stop"],
]);

/**
 * Fields of a delta or message, besides those in extras.ts. `channel` names the field that has the text (Groq);
 * `token_id` repeats the text (Together).
 */
export const messageFields: ReadonlySet<string> = new Set([
  ...["role", "content", "reasoning_content", "reasoning", "reasoning_details", "refusal", "tool_calls"],
  ...["function_call", "channel", "token_id"],
]);

import type { Reason } from "../../errors.ts";
import type { ReportedError } from "./error-body.ts";

/** A sentence that says more than the status beside it, where the provider has no code for it. */
export interface Sentence {
  readonly pattern: RegExp;
  /** What the status means. Beside any other the sentence counts for nothing, as it may quote the caller. */
  readonly status: Reason;
  readonly means: Reason;
}

/** That a prompt is longer than the context window: both in tokens, in the groups `requested` and `limit`, if it has them. */
export function promptTooLong(pattern: RegExp): Sentence {
  return { pattern, status: "INVALID_REQUEST", means: "CONTEXT_LENGTH_EXCEEDED" };
}

/** What an error means, by its sentence where that says more than its status did. */
export function reasonOfSentence(message: string, reason: Reason, sentences: readonly Sentence[]): Reason {
  return sentences.find(({ pattern, status }) => status === reason && pattern.test(message))?.means ?? reason;
}

/** Metadata with both lengths, if the error states them: in fields of its own or in a sentence. */
export function contextLengths(
  { message, contextLengths: fields }: ReportedError,
  sentences: readonly Sentence[],
): Readonly<Record<string, string>> {
  const groups = sentences
    .filter(({ means }) => means === "CONTEXT_LENGTH_EXCEEDED")
    .map(({ pattern }) => pattern.exec(message)?.groups)
    .find(Boolean);
  const limit = fields?.limit ?? groups?.limit;
  const requested = fields?.requested ?? groups?.requested;
  if (limit === undefined || requested === undefined) return {};
  return { context_window_tokens: String(limit), input_tokens: String(requested) };
}

import type { Reason } from "../../errors.ts";
import type { ReportedError } from "./error-body.ts";

/** Error message that is more specific than its HTTP status, for errors to which the provider gives no code. */
export interface Sentence {
  readonly pattern: RegExp;
  /**
   * Reason of the error by its status and code alone. The pattern applies only to errors with this reason: the messages of
   * other errors can quote text of the caller that matches by chance.
   */
  readonly status: Reason;
  /** Reason that the message implies. */
  readonly means: Reason;
}

/** Message for a prompt that exceeds the context window. Optional groups `requested` and `limit`, both in tokens. */
export function promptTooLong(pattern: RegExp): Sentence {
  return { pattern, status: "INVALID_REQUEST", means: "CONTEXT_LENGTH_EXCEEDED" };
}

/** Returns the reason that the error message implies, else `reason`. */
export function reasonOfSentence(message: string, reason: Reason, sentences: readonly Sentence[]): Reason {
  return sentences.find(({ pattern, status }) => status === reason && pattern.test(message))?.means ?? reason;
}

/** Returns metadata with both lengths, if the error states them in fields or in its message. */
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

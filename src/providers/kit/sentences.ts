import type { Reason } from "../../errors.ts";
import type { ReportedError } from "./error-body.ts";

/** What an error means: a reason, or that a content filter blocked the prompt or the output. */
export type Meaning = Reason | "CONTENT_FILTER";

/** Pattern of an error message that says more than the HTTP status, for errors without an error code. */
export interface Sentence {
  readonly pattern: RegExp;
  /**
   * Reason that the status and code of the error imply. The pattern applies only to errors with this reason, since the
   * messages of other errors can quote text of the caller that matches by chance.
   */
  readonly status: Reason;
  /** What the message implies. */
  readonly means: Meaning;
}

/**
 * Returns the pattern of the message for a prompt that exceeds the context window. Its named groups, both optional, are
 * `requested` (the prompt's length) and `limit` (the context window), in tokens.
 */
export function promptTooLong(pattern: RegExp): Sentence {
  return { pattern, status: "INVALID_REQUEST", means: "CONTEXT_LENGTH_EXCEEDED" };
}

/** Returns what the error message implies, else `reason`. */
export function meaningOfSentence(message: string, reason: Meaning, sentences: readonly Sentence[]): Meaning {
  return sentences.find(({ pattern, status }) => status === reason && pattern.test(message))?.means ?? reason;
}

/** Returns error metadata: the prompt's length and the context window, each if the error states it. */
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
  return {
    ...(limit !== undefined && { context_window_tokens: String(limit) }),
    ...(requested !== undefined && { input_tokens: String(requested) }),
  };
}

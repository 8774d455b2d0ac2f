/**
 * How a call ended for the caller's program.
 *
 * - complete: the whole and exact text, with the finish reason `stop`, and no error
 * - looks_whole: no error, and not the response. The program cannot know that
 * - error: an error, which the program can handle
 * - left: the caller gave up, or left as the scenario says
 */
export type Verdict = "complete" | "looks_whole" | "error" | "left";

/** What the client library gave to the caller's program. */
export interface Seen {
  /** Undefined: no text in the response. */
  readonly text: string | undefined;
  /** Undefined or null: none. */
  readonly finishReason: string | null | undefined;
  /** Kind of the error that the client library threw, such as its status and code. Undefined: none. */
  readonly error: string | undefined;
  /** Whether the caller aborted the call before it ended. */
  readonly left: boolean;
}

export interface Judgment {
  readonly verdict: Verdict;
  /** What exactly is wrong. Empty: nothing. */
  readonly detail: string;
}

function whatIsWrong({ text, finishReason }: Seen, expected: string): string {
  if (text === undefined || text === "") return "no text";
  if (text === expected) return finishReason === "stop" ? "" : "whole text, no finish reason";
  if (expected.startsWith(text)) return "cut";
  if (text.startsWith(expected)) return "more than the text";
  return "other text";
}

/** Judges a call. A client that was aborted may end without an error, so that leaving comes before everything else. */
export function judge(seen: Seen, expected: string): Judgment {
  if (seen.left) return { verdict: "left", detail: "" };
  if (seen.error !== undefined) return { verdict: "error", detail: seen.error };
  const detail = whatIsWrong(seen, expected);
  return { verdict: detail === "" ? "complete" : "looks_whole", detail };
}

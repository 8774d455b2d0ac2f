import type { Draft, DraftWarning } from "./draft.ts";

/**
 * Warns of what is likely a slip of the caller, though the call can go on.
 *
 * Last, so that advice comes after what was not done as asked.
 */
export function advise(draft: Draft): Draft {
  const { outputFormat, messages } = draft.asked;
  if (outputFormat?.format.case !== "jsonObject") return draft;
  const mentions = messages.some(({ parts }) =>
    parts.some(({ kind }) => kind.case === "text" && /json/i.test(kind.value)),
  );
  if (mentions) return draft;
  const message = "no message says that JSON is wanted: models may write blanks without end, and OpenAI rejects it";
  const advice: DraftWarning = { reason: "ADVICE", field: ["output_format", "json_object"], message };
  return { ...draft, warnings: [...draft.warnings, advice] };
}

import type { Draft, DraftWarning } from "./draft.ts";

/**
 * Adds warnings about likely mistakes of the caller that do not prevent the call.
 *
 * Runs last, so that advice comes after the warnings about dropped and changed fields.
 */
export function advise(draft: Draft): Draft {
  const { outputFormat, messages } = draft.asked;
  if (outputFormat?.format.case !== "jsonObject") return draft;
  const mentions = messages.some(({ parts }) =>
    parts.some(({ kind }) => kind.case === "text" && /json/i.test(kind.value)),
  );
  if (mentions) return draft;
  const message =
    "no message mentions JSON; ask for JSON in one: OpenAI requires it, and models may otherwise write endless whitespace";
  const advice: DraftWarning = { reason: "ADVICE", field: ["output_format", "json_object"], message };
  return { ...draft, warnings: [...draft.warnings, advice] };
}

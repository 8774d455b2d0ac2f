import { OnInvalid } from "../../gen/dragoman/v1/output_format_pb.js";
import type { Draft, DraftWarning } from "./draft.ts";

/**
 * Adds warnings about likely mistakes of the caller that do not prevent the call.
 *
 * Runs last, so that advice comes after the warnings about dropped and changed fields.
 */
export function advise(draft: Draft): Draft {
  if (draft.asked.outputFormat === undefined) return draft;
  const advice = [...adviceOnInvalid(draft), ...adviceOnJsonObject(draft)];
  return advice.length === 0 ? draft : { ...draft, warnings: [...draft.warnings, ...advice] };
}

function* adviceOnInvalid({ asked: { outputFormat } }: Draft): Generator<DraftWarning> {
  const kind = outputFormat?.format.case;
  if (outputFormat?.onInvalid !== OnInvalid.RETURN || kind === "jsonObject" || kind === "jsonSchema") return;
  const message = "on_invalid has no effect: Dragoman validates only JSON objects and JSON Schemas";
  yield { reason: "ADVICE", field: ["output_format", "on_invalid"], message };
}

function* adviceOnJsonObject({ asked: { outputFormat, messages } }: Draft): Generator<DraftWarning> {
  if (outputFormat?.format.case !== "jsonObject") return;
  const mentions = messages.some(({ parts }) =>
    parts.some(({ kind }) => kind.case === "text" && /json/i.test(kind.value)),
  );
  if (mentions) return;
  const message =
    "no message mentions JSON; ask for JSON in one: OpenAI requires it, and models may otherwise write endless whitespace";
  yield { reason: "ADVICE", field: ["output_format", "json_object"], message };
}

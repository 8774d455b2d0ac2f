import { GatewayError } from "../../errors.ts";
import { formatPath, isSamePath, isWithin } from "../../field-path.ts";
import { ChatRequestSchema } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Adaptation } from "./adaptations.ts";
import type { Draft, DraftAdaptation } from "./draft.ts";
import { withField } from "./with-field.ts";

/**
 * Drops or changes each field for which an earlier step added an adaptation (`Adaptation`), and adds a warning. For
 * REJECTED fields, and with `strict_parameters` for dropped and changed ones, throws one error that names every field.
 * Fields that the profile set by default cause no warning or error.
 *
 * Runs after every step that adds adaptations, so that one error can name all fields.
 */
export function applyAdaptations(draft: Draft): Draft {
  if (draft.adaptations.length === 0) return draft;
  const adaptations = withoutRepeats(draft.adaptations);
  const reported = adaptations.filter(
    ({ callersField }) => !draft.defaulted.some((field) => isSamePath(field, callersField)),
  );
  const isError = ({ kind }: Adaptation) => kind === "REJECTED" || (draft.asked.strictParameters && changesField(kind));
  const errors = reported.filter(isError);
  if (errors.length > 0) {
    throw new GatewayError("UNSUPPORTED_PARAMETER", errors.map(({ message }) => message).join("; "), {
      fields: errors.map(({ callersField, message }) => ({ field: callersField, description: message })),
      metadata: { fields: errors.map(({ callersField }) => formatPath(callersField)).join(",") },
    });
  }
  let { request } = draft;
  for (const { kind, field, set } of adaptations) {
    if (changesField(kind)) request = withField(ChatRequestSchema, request, field, set);
  }
  const warnings = reported.flatMap(({ kind, callersField, message }) =>
    kind === "REJECTED" ? [] : [{ reason: kind, field: callersField, message }],
  );
  return { ...draft, request, warnings: [...draft.warnings, ...warnings] };
}

/** Whether `applyAdaptations` itself drops or changes the field. Adaptations of other kinds only report. */
function changesField(kind: Adaptation["kind"]): boolean {
  return kind === "UNSUPPORTED_PARAMETER" || kind === "ADJUSTED";
}

const strength = {
  REJECTED: 4,
  UNSUPPORTED_PARAMETER: 3,
  ADJUSTED: 2,
  LEFT_OUT: 1,
  EMULATED: 0,
} as const satisfies Record<Adaptation["kind"], number>;

/**
 * Keeps the strongest adaptation per field, since the model's capabilities and the provider may both restrict it. If
 * all adaptations of a field are EMULATED, keeps each different message. Removes adaptations of fields inside a dropped
 * field.
 */
function withoutRepeats(all: readonly DraftAdaptation[]): readonly DraftAdaptation[] {
  const byField = Map.groupBy(all, ({ callersField }) => formatPath(callersField));
  const dropped = all.filter(({ kind }) => kind === "UNSUPPORTED_PARAMETER");
  const isInDropped = ({ callersField }: DraftAdaptation) =>
    dropped.some(
      (other) => other.callersField.length < callersField.length && isWithin(callersField, other.callersField),
    );
  return [...byField.values()].flatMap(strongest).filter((adaptation) => !isInDropped(adaptation));
}

function strongest(ofField: readonly DraftAdaptation[]): readonly DraftAdaptation[] {
  const most = Math.max(...ofField.map(({ kind }) => strength[kind]));
  const [first, ...others] = ofField.filter(({ kind }) => strength[kind] === most);
  if (first === undefined || first.kind !== "EMULATED") return first ? [first] : [];
  return [...new Map([first, ...others].map((adaptation) => [adaptation.message, adaptation])).values()];
}

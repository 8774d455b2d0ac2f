import type { FieldPath } from "../../field-path.ts";
import { ChatRequestSchema } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Draft, DraftWarning } from "./draft.ts";
import { type LearnedField, learnedText, withoutOptions } from "./learned.ts";
import type { PlanningContext } from "./planning-context.ts";
import { isFieldSet, withField } from "./with-field.ts";

/**
 * Leaves out the defaults that the target rejected before, and reports them. Also reports the fields of the adapter
 * that it leaves out or renames for the same reason. Keeps every field that the caller set.
 *
 * Runs after every step that sets defaults, and before `checkSupport`, which checks what is sent.
 */
export function leaveOutLearned(
  draft: Draft,
  { learned, ownFields, model: { provider } }: Pick<PlanningContext, "learned" | "ownFields" | "model">,
): Draft {
  if (learned.length === 0) return draft;
  let { request } = draft;
  const warnings = [...draft.warnings];
  for (const rejected of learned) {
    const { field } = rejected;
    if (field === undefined || !isAdded(draft, field)) continue;
    request = withField(ChatRequestSchema, request, field, undefined);
    warnings.push(warningOf(rejected, field));
  }
  const own = withoutOptions(ownFields?.(request) ?? [], request.providerOptions[provider]);
  for (const { name, field } of own) {
    const rejected = learned.find((known) => known.name === name);
    // A field that the caller cannot set has the place of the provider's other fields.
    if (rejected) warnings.push(warningOf(rejected, field ?? ["provider_options", provider, ...name.split(".")]));
  }
  return { ...draft, request, warnings };
}

/** Whether the outgoing request has a field that the caller did not set. */
export function isAdded({ asked, request }: Pick<Draft, "asked" | "request">, field: FieldPath): boolean {
  return isFieldSet(ChatRequestSchema, request, field) && !isFieldSet(ChatRequestSchema, asked, field);
}

function warningOf(learned: LearnedField, field: FieldPath): DraftWarning {
  return { reason: "LEARNED", field, message: learnedText(learned) };
}

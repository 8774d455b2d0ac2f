import type { JsonValue } from "@bufbuild/protobuf";
import type { ReportViolation } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";

/**
 * Reports each infinite number and NaN in fields of free JSON, which would reach the provider as null. A double of
 * protobuf can be one, and JSON such as `1e400` becomes one. `deployment_parameters` have a rule for their types.
 */
export function checkFinite(
  { providerOptions, chatTemplateKwargs = {}, tools }: ChatRequest,
  report: ReportViolation,
): void {
  checkMembers(providerOptions, ["provider_options"], report);
  for (const [index, { kind }] of tools.entries()) {
    if (kind.case !== "function") continue;
    checkMembers(kind.value.providerOptions, ["tools", index, "function", "provider_options"], report);
  }
  checkMembers(chatTemplateKwargs, ["chat_template_kwargs"], report);
}

function checkMembers(members: Readonly<Record<string, JsonValue>>, path: FieldPath, report: ReportViolation): void {
  for (const name in members) checkValue(members[name], [...path, name], report);
}

function checkValue(value: JsonValue | undefined, path: FieldPath, report: ReportViolation): void {
  if (typeof value === "number") {
    if (!Number.isFinite(value)) report(path, "must be a finite number: JSON has no other");
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) checkValue(item, [...path, index], report);
  } else if (typeof value === "object" && value !== null) {
    checkMembers(value, path, report);
  }
}

import type { DescEnum, DescField } from "@bufbuild/protobuf";
import type { Violation } from "@bufbuild/protovalidate";

/**
 * Returns what is wrong with a field and what to set instead. Protovalidate's own texts have numbers in place of enum
 * names, and do not name the fields of a oneof.
 */
export function annotationText({ field: path, forKey, ruleId, message }: Violation): string {
  if (forKey) return `has a key that ${shortText(message)}`;
  const last = path.at(-1);
  if (last?.kind === "oneof") return `is required; set one of ${last.fields.map(({ name }) => name).join(", ")}`;
  const field = path.findLast((step): step is DescField => step.kind === "field");
  const type = field !== undefined && "enum" in field ? field.enum : undefined;
  return (type && enumText(type, ruleId, message)) ?? shortText(message);
}

function enumText(type: DescEnum, ruleId: string, message: string): string | undefined {
  switch (ruleId) {
    // Every such rule of the contract rejects only the value 0.
    case "enum.not_in":
      return `is required; set one of ${namesOf(type)}`;
    case "enum.defined_only":
      return `is not a ${type.name}; set one of ${namesOf(type)}`;
    case "enum.in":
      return `must be one of ${namesOf(type, new Set(message.match(/\d+/g)?.map(Number)))}`;
    default:
      return undefined;
  }
}

/** Lists the names of an enum's values, without the value 0. */
function namesOf({ values }: DescEnum, allowed?: ReadonlySet<number>): string {
  const usable = values.filter(({ number }) => (allowed === undefined ? number !== 0 : allowed.has(number)));
  return usable.map(({ name }) => name).join(", ");
}

function shortText(message: string): string {
  if (message === "must be at least 1 characters" || message === "must contain at least 1 item(s)") {
    return "must not be empty";
  }
  const [, signs, most] = /^does not match regex pattern `\^\[a-zA-Z0-9(.+)\]\{1,(\d+)\}\$`$/.exec(message) ?? [];
  return signs === undefined ? message : `must be 1 to ${most} characters: letters, digits and ${[...signs].join(" ")}`;
}

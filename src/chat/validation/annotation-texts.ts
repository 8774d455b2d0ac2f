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
  const text = (type && enumText(type, ruleId, message)) ?? shortText(message);
  const fix = text === empty && field !== undefined ? insteadOfEmpty[`${field.parent.name}.${field.name}`] : undefined;
  return fix === undefined ? text : `${text}; ${fix}`;
}

const empty = "must not be empty";

/** What to write in a field that is empty, by the names of its message and the field. */
const insteadOfEmpty: Readonly<Record<string, string>> = {
  "ChatRequest.model": "name a model, such as echo/echo",
  "ChatRequest.messages": "write at least one message",
};

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

/** Texts of protovalidate that are longer than they need to be, and their short form. */
const shortForms: readonly (readonly [text: RegExp, short: string])[] = [
  [/^must (?:be at least 1 characters|contain at least 1 item\(s\))$/, empty],
  [/^must be greater than or equal to (\S+) and less than or equal to (\S+)$/, "must be from $1 to $2"],
  [/^must be greater than (\S+) and less than or equal to (\S+)$/, "must be above $1 and at most $2"],
  [/^must be greater than or equal to (\S+)$/, "must be at least $1"],
  [/^must be less than or equal to (\S+)$/, "must be at most $1"],
  [/^must contain no more than (\d+) item\(s\)$/, "must have at most $1 items"],
  [/^must contain at least (\d+) item\(s\)$/, "must have at least $1 items"],
  [/^map must be at most (\d+) entries$/, "must have at most $1 entries"],
  [/^repeated value must contain unique items$/, "has an item twice; write each item once"],
];

function shortText(message: string): string {
  const [, signs, most] = /^does not match regex pattern `\^\[a-zA-Z0-9(.+)\]\{1,(\d+)\}\$`$/.exec(message) ?? [];
  if (signs !== undefined) return `must be 1 to ${most} characters: letters, digits and ${[...signs].join(" ")}`;
  const [form, short = ""] = shortForms.find(([text]) => text.test(message)) ?? [];
  return form === undefined ? message : message.replace(form, short);
}

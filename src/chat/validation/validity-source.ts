import { type DescField, type DescMessage, type DescOneof, getOption, ScalarType } from "@bufbuild/protobuf";
import { isReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import {
  type FieldRules,
  FieldRulesSchema,
  field as fieldOption,
  MessageRulesSchema,
  message as messageOption,
  oneof as oneofOption,
} from "../../gen/buf/validate/validate_pb.js";
import { celRules, ruleConditions } from "./rule-conditions.ts";
import { type SetRule, setRules } from "./set-rules.ts";

/** Returns the name that the check of a message has in the code. Undefined: the message has no rules. */
export type NameOf = (message: DescMessage) => string | undefined;

/** Condition of a rule that `ruleConditions` does not have. */
const unsure = "false";

/**
 * Returns JavaScript that returns false if a message `m` may violate an annotation. Empty: the message has none. A
 * value that is checked has the name `v`.
 */
export function validitySource(schema: DescMessage, nameOf: NameOf): string {
  const members = schema.members.map((member) =>
    member.kind === "oneof" ? oneofSource(member, nameOf) : fieldSource(member, nameOf),
  );
  return [...members, failUnless(messageConditions(schema))].filter((source) => source !== "").join("\n");
}

function failUnless(conditions: readonly string[]): string {
  return conditions.length === 0 ? "" : `if (!(${conditions.join(" && ")})) return false;`;
}

function messageConditions(schema: DescMessage): readonly string[] {
  const rules = getOption(schema, messageOption);
  if (setRules(reflect(MessageRulesSchema, rules)).some(({ name }) => name !== "cel")) return [unsure];
  return rules.cel.map(({ id, expression }) => {
    const rule = celRules[id];
    return rule?.expression === expression ? `(${rule.condition})` : unsure;
  });
}

function oneofSource(oneof: DescOneof, nameOf: NameOf): string {
  const { required } = getOption(oneof, oneofOption);
  // Only protovalidate knows what it means that one of several fields is required.
  if (oneof.fields.some((field) => rulesOf(field).required)) return failUnless([unsure]);
  const cases = oneof.fields.map((field) => {
    const check = valueSource(field, nameOf);
    return check === "" ? "" : `case "${field.localName}": ${check} break;`;
  });
  if (required) cases.push("case undefined: return false;");
  if (cases.every((source) => source === "")) return "";
  return `{ const { case: chosen, value: v } = m.${oneof.localName}; switch (chosen) { ${cases.join("\n")} } }`;
}

function fieldSource(field: DescField, nameOf: NameOf): string {
  const check = valueSource(field, nameOf);
  const isRequired = rulesOf(field).required;
  if (check === "" && !isRequired) return "";
  const isOptional = field.presence === FeatureSet_FieldPresence.EXPLICIT;
  const unset = isRequired ? "if (v === undefined) return false;" : "";
  return `{ const v = m.${field.localName}; ${unset} ${isOptional ? `if (v !== undefined) { ${check} }` : check} }`;
}

function rulesOf(field: DescField): FieldRules {
  return getOption(field, fieldOption);
}

/** Checks the value `v` of a field that is set. */
function valueSource(field: DescField, nameOf: NameOf): string {
  const rules = rulesOf(field);
  // Only for single messages is a field that is set one that is not undefined.
  const isUnsure = rules.required && field.fieldKind !== "message";
  const own = rulesSource(field, rules);
  const name = field.message && nameOf(field.message);
  const content = name === undefined ? "" : failUnless([`${name}.isValid(v)`]);
  return [isUnsure ? failUnless([unsure]) : "", own, eachSource(field, content)].join("");
}

/** Applies a check to the items of a list, the values of a map, or a single value. */
function eachSource({ fieldKind }: DescField, check: string): string {
  if (check === "") return "";
  if (fieldKind === "list") return loop("v", check);
  return fieldKind === "map" ? loop("Object.values(v)", check) : check;
}

function loop(items: string, check: string): string {
  return `{ const items = ${items}; for (const v of items) { ${check} } }`;
}

/** Checks a value against the rules of its field, or of the items, keys or values in the field. */
function rulesSource(field: DescField, rules: FieldRules): string {
  return setRules(reflect(FieldRulesSchema, rules))
    .flatMap(({ name, value }) => {
      // The rules of a type are the only messages.
      if (isReflectMessage(value)) return setRules(value).map((rule) => ruleSource(field, name, rule));
      return name === "required" ? [] : [failUnless([unsure])];
    })
    .join("");
}

function ruleSource(field: DescField, type: string, { name, value }: SetRule): string {
  const id = `${type}.${name}`;
  switch (id) {
    case "repeated.items":
      return loop("v", innerSource(field, value));
    case "map.keys":
      // Numbers that are keys are strings, and JavaScript compares them as numbers.
      return loop("Object.keys(v)", innerSource(field, value));
    case "map.values":
      return loop("Object.values(v)", innerSource(field, value));
    case "repeated.unique": {
      // Equal messages and bytes can be different objects.
      const canDiffer = field.message !== undefined || field.scalar === ScalarType.BYTES;
      return failUnless([canDiffer ? unsure : "(v.length < 2 || new Set(v).size === v.length)"]);
    }
    case "enum.defined_only":
      return failUnless([
        ruleConditions["enum.in"]?.(field.enum?.values.map(({ number }) => number) as never) ?? unsure,
      ]);
    default:
      return failUnless([ruleConditions[id]?.(value as never) ?? unsure]);
  }
}

function innerSource(field: DescField, rules: unknown): string {
  return isReflectMessage(rules) ? rulesSource(field, rules.message as FieldRules) : failUnless([unsure]);
}

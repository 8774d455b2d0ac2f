import { z } from "zod";

/** JSON Schema (draft 7) of a value in the configuration file. */
export type JsonForm = z.core.JSONSchema.BaseSchema;

/** The JSON forms of scalar values, which zod cannot derive: to zod, each is an unknown value and a function. */
export const jsonForms = z.registry<JsonForm>();

/** A value with a reference to an environment variable. Only the service knows what results from it. */
const reference: JsonForm = { type: "string", pattern: "\\$\\{" };

/**
 * Describes a value whose text has one of several forms, or references to variables.
 *
 * @param fix what to write, in the words of the error message
 */
export function describeForms(forms: readonly JsonForm[], fix: string): JsonForm {
  const description = `${fix.charAt(0).toUpperCase()}${fix.slice(1)}.`;
  const [first] = forms;
  const acceptsReferences = forms.length === 1 && (first?.type === "object" || isAnyText(first));
  return acceptsReferences ? { description, ...first } : { description, anyOf: [...forms, reference] };
}

const isAnyText = (form: JsonForm | undefined) =>
  form?.type === "string" && form.pattern === undefined && form.enum === undefined;

/** Form of the strings that match a regular expression of the kind that Go, JavaScript and Python share. */
export const matching = (pattern: string, ...examples: readonly string[]): JsonForm => ({
  type: "string",
  pattern,
  ...(examples.length > 0 && { examples: [...examples] }),
});

/** Form of one of several texts. */
export const oneOf = (...texts: readonly (string | boolean)[]): JsonForm => ({ enum: [...texts] });

/** Forms of a whole number, also in a string. */
export const wholeNumberForms = (minimum: number, maximum: number): readonly JsonForm[] => [
  { type: "integer", minimum, maximum },
  matching(minimum > 0 ? "^0*[1-9][0-9]*$" : "^[0-9]+$"),
];

/** Forms of a decimal number, also in a string. */
export const decimalForms = (
  range: Pick<JsonForm, "minimum" | "exclusiveMinimum" | "maximum">,
): readonly JsonForm[] => [{ type: "number", ...range }, matching("^[0-9]+(?:\\.[0-9]+)?$")];

/** Forms of a whole number with a unit. Without one, it is in the smallest unit. */
export function quantityForms(
  units: Readonly<Record<string, number>>,
  {
    minimum,
    maximum,
    examples,
  }: { readonly minimum: 0 | 1; readonly maximum: number; readonly examples: readonly string[] },
): readonly JsonForm[] {
  const digits = minimum === 0 ? "[0-9]+" : "0*[1-9][0-9]*";
  return [
    matching(`^${digits} ?(?:${Object.keys(units).join("|")})?$`, ...examples),
    { type: "integer", minimum, maximum },
  ];
}

import { parseBounded } from "../../chat/validation/json-bounds.ts";

/** Name of the only parameter of a function that stands for a custom tool. */
const parameter = "input";

/** Definition of a custom tool, whose input is free text. */
interface CustomTool {
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly format?:
    | { readonly type: "text" }
    | { readonly type: "grammar"; readonly syntax: string; readonly definition: string }
    | null
    | undefined;
}

/** JSON Schema of the function that stands for a custom tool. */
export const customSchema = JSON.stringify({
  type: "object",
  properties: { [parameter]: { type: "string", description: "The whole input of the tool, as plain text." } },
  required: [parameter],
  additionalProperties: false,
});

/** Returns the description of the function that stands for a custom tool: no provider enforces the grammar. */
export function customDescription({ description, format }: CustomTool): string {
  const written = description ?? "";
  if (format?.type !== "grammar") return written;
  const rule = `The parameter ${parameter} must match this ${format.syntax} grammar:\n${format.definition}`;
  return written === "" ? rule : `${written}\n\n${rule}`;
}

/** Returns the arguments of the function for the input of a custom tool. */
export function customArguments(input: string): string {
  return JSON.stringify({ [parameter]: input });
}

/** Returns the input of a custom tool from the arguments of the function; the arguments themselves if they have none. */
export function customInput(argumentsJson: string): string {
  try {
    const value: unknown = parseBounded(argumentsJson);
    const input = typeof value === "object" && value !== null && parameter in value ? value[parameter] : undefined;
    return typeof input === "string" ? input : argumentsJson;
  } catch {
    return argumentsJson;
  }
}

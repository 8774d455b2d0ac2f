import { randomUUID } from "node:crypto";

/**
 * JSON text inside a larger value, such as tool call arguments or a schema. `stringifyExact` writes the text unchanged,
 * with its key order and all digits of its numbers. `JSON.stringify` writes the parsed value.
 */
export class ExactJson {
  readonly text: string;

  /** `text` must be valid JSON. */
  constructor(text: string) {
    this.text = text;
  }

  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

// `stringifyExact` first writes a placeholder for each ExactJson. The prefix of placeholders is random, so that no text
// in a request can be mistaken for one.
const prefix = randomUUID();
const placeholders = new RegExp(`"${prefix}:(\\d+)"`, "g");

/** Like JSON.stringify, but writes every ExactJson in the value as its original text. */
export function stringifyExact(value: unknown): string {
  const texts: string[] = [];
  const json = JSON.stringify(value, function (this: Record<string, unknown>, key, plain: unknown) {
    const original = this[key];
    return original instanceof ExactJson ? `${prefix}:${texts.push(original.text) - 1}` : plain;
  });
  return texts.length === 0 ? json : json.replace(placeholders, (_, index) => texts[Number(index)] ?? "null");
}

/** Adds a key at the start of a JSON object's text, unless the object already has the key. */
export function withKey(json: string, key: string, value: string): string {
  const keys = Object.keys(JSON.parse(json));
  if (keys.includes(key)) return json;
  const comma = keys.length > 0 ? "," : "";
  return json.replace("{", () => `{${JSON.stringify(key)}:${JSON.stringify(value)}${comma}`);
}

/** Adds the description to a JSON Schema that has none, for APIs without a separate description field. */
export function describedSchema(schemaJson: string, description: string): ExactJson {
  return new ExactJson(description === "" ? schemaJson : withKey(schemaJson, "description", description));
}

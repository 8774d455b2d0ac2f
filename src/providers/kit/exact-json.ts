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
    return written === undefined ? JSON.parse(this.text) : `${prefix}:${written.push(this.text) - 1}`;
  }
}

// `stringifyExact` first writes a placeholder for each ExactJson. The prefix of placeholders is random, so that no text
// in a request can be mistaken for one.
const prefix = randomUUID();
const placeholders = new RegExp(`"${prefix}:(\\d+)"`, "g");

/** Texts for the placeholders so far. Undefined: `stringifyExact` does not run. */
let written: string[] | undefined;

/**
 * Like JSON.stringify, but writes every ExactJson in the value as its original text. Does not use a replacer, which
 * would be called for every value.
 */
export function stringifyExact(value: unknown): string {
  const texts: string[] = [];
  written = texts;
  try {
    const json = JSON.stringify(value);
    return texts.length === 0 ? json : json.replace(placeholders, (_, index) => texts[Number(index)] ?? "null");
  } finally {
    written = undefined;
  }
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

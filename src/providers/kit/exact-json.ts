import { randomUUID } from "node:crypto";

/**
 * JSON text inside a larger value, such as a tool's arguments or schema. `stringifyExact` puts it out as it is: keys keep
 * their order, numbers their digits. Read as a value, it is what the text means.
 */
export class ExactJson {
  readonly text: string;

  /** `text` must be JSON. */
  constructor(text: string) {
    this.text = text;
  }

  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

// Nobody outside can know it, so that no text can be taken for a place.
const mark = randomUUID();
const places = new RegExp(`"${mark}:(\\d+)"`, "g");

/** JSON.stringify, with every ExactJson in the value as its own text. */
export function stringifyExact(value: unknown): string {
  const texts: string[] = [];
  const json = JSON.stringify(value, function (this: Record<string, unknown>, key, plain: unknown) {
    const original = this[key];
    return original instanceof ExactJson ? `${mark}:${texts.push(original.text) - 1}` : plain;
  });
  return texts.length === 0 ? json : json.replace(places, (_, index) => texts[Number(index)] ?? "null");
}

/** The JSON text of an object with a key in front, unless the object has it. */
export function withKey(json: string, key: string, value: string): string {
  const keys = Object.keys(JSON.parse(json));
  if (keys.includes(key)) return json;
  const comma = keys.length > 0 ? "," : "";
  return json.replace("{", () => `{${JSON.stringify(key)}:${JSON.stringify(value)}${comma}`);
}

/** A JSON Schema for APIs that take no description beside it: it goes into the schema, unless there is one. */
export function describedSchema(schemaJson: string, description: string): ExactJson {
  return new ExactJson(description === "" ? schemaJson : withKey(schemaJson, "description", description));
}

/** The value, if it is an object or an array, else an empty object. */
export function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}

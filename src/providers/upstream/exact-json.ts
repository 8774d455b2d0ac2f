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

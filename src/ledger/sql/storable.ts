/** NUL, which PostgreSQL does not store in text, and surrogates: halves of pairs are not UTF-8. */
const suspicious = /[\0\ud800-\udfff]/;

/** The same characters in JSON. JSON.stringify escapes only halves of surrogate pairs. */
const suspiciousJson = /\\u(?:0000|d[89a-f])/;

/** Returns a text that every database can store: U+FFFD replaces any other character. */
export function storableText(text: string): string {
  return suspicious.test(text) ? text.toWellFormed().replaceAll("\0", "\ufffd") : text;
}

/** Returns a value as JSON that every database can store. */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value);
  return suspiciousJson.test(json) ? JSON.stringify(storable(value)) : json;
}

/** Copies a value of plain objects, lists and texts, with texts that every database can store. */
export function storable<Value>(value: Value): Value;
export function storable(value: unknown): unknown {
  if (typeof value === "string") return storableText(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => storable(item));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [storableText(name), storable(item)]));
}

/**
 * Formats a value as JSON. A response can repeat integers of its body, which are bigint if a JavaScript number would
 * round them (body.ts). They are rare, and a replacer slows every other value.
 */
export function encodeJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return JSON.stringify(value, exactIntegers);
  }
}

/** Replacer of JSON.stringify that keeps all digits of a bigint. */
export function exactIntegers(_key: string, entry: unknown): unknown {
  return typeof entry === "bigint" ? JSON.rawJSON(String(entry)) : entry;
}

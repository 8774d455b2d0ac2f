import fc from "fast-check";

/** JSON texts of unexpected values. */
export const hostileJson = fc.oneof(
  fc.constantFrom(
    ...["null", "true", "0", "-1", "-0", "1e400", "1.5", "12345678901234567890", "99999999999999999999999999"],
    ...['""', '"\\ud800"', '"\\u0000"', "[]", "{}", "[null]", "[[]]", '[{"type":"text"}]', '{"__proto__":{"a":1}}'],
    ...['{"constructor":{"prototype":{}}}', '{"toJSON":1,"then":2}', '{"type":"__proto__"}', '{"role":"constructor"}'],
    ...[`"${"a".repeat(5000)}"`, `[${"0,".repeat(500)}0]`, `{"[[[[\\"":"x"}`],
    "[".repeat(100) + "]".repeat(100),
    "[".repeat(10_000) + "]".repeat(10_000),
    `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`,
  ),
  fc.json(),
);

export type JsonChange = "replace" | "remove" | "add" | "repeat";

/** Returns the paths of all values in a body. */
export function placesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  const inside = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return [path, ...inside.flatMap(([key, entry]) => placesOf(entry, [...path, key]))];
}

/** Returns the JSON text of a body with one change; undefined if the change removes the whole body. */
export function changedJson(
  value: unknown,
  [step, ...rest]: readonly string[],
  kind: JsonChange,
  text: string,
): string | undefined {
  if (step !== undefined && typeof value === "object" && value !== null) {
    const entries = Object.entries(value).flatMap(([key, entry]) => {
      const json = key === step ? changedJson(entry, rest, kind, text) : JSON.stringify(entry);
      return json === undefined ? [] : [Array.isArray(value) ? json : `${JSON.stringify(key)}:${json}`];
    });
    return Array.isArray(value) ? `[${entries}]` : `{${entries}}`;
  }
  const json = JSON.stringify(value);
  if (kind === "remove") return undefined;
  const isObject = json.startsWith("{") && json !== "{}";
  if (kind === "add" && isObject) return `${json.slice(0, -1)},"__proto__":${text},"x":${text}}`;
  // Duplicate keys: JSON.parse keeps the last value.
  if (kind === "repeat" && isObject) return `${json.slice(0, -1)},${json.slice(1, -1).replace(/:.*/s, "")}:${text}}`;
  return text;
}

import type { ReportProblem } from "./config-error.ts";
import { decimalForms } from "./json-forms.ts";
import type { ProviderKey } from "./provider.ts";
import { leaf, pattern, section } from "./rules.ts";
import { Secret } from "./secret.ts";

/**
 * Returns undefined for a key that cannot be a header value, and for one that is a mistake: `docker --env-file` keeps
 * quotes, and `$NAME` is a variable in shells only. Every upstream request with it would fail.
 */
function parseKey(value: unknown): string | undefined {
  const key = typeof value === "string" ? value.trim() : "";
  return /^[\x21-\x7e]+$/.test(key) && !/^(["'].*["']|\$\w+)$/.test(key) ? key : undefined;
}

export const apiKey = leaf({
  parse: parseKey,
  problem:
    "is not a valid API key: it is empty, in quotes, a $NAME without braces, or has spaces or non-ASCII characters",
  fix: "correct the value, or the variable that sets it",
  forms: [{ type: "string", minLength: 1 }],
});

/** Parses a decimal number above zero, also from a string, since a `${VARIABLE}` is one. */
function parseWeight(value: unknown): number | undefined {
  const text = typeof value === "number" ? String(value) : value;
  const weight = typeof text === "string" && /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return weight > 0 && weight < Number.POSITIVE_INFINITY ? weight : undefined;
}

/** Schema of an entry of `providers.<name>.keys`. */
export const providerKey = section({
  name: pattern(/^[^\p{C}]{1,64}$/u, "write 1 to 64 characters"),
  value: apiKey,
  weight: leaf({
    parse: parseWeight,
    problem: "is not a number above zero",
    fix: "write a number such as 1 or 2.5",
    forms: decimalForms({ exclusiveMinimum: 0 }),
    shown: true,
  }).prefault(1),
});

interface KeySection {
  readonly name: string;
  readonly value: string;
  readonly weight: number;
}

/**
 * Returns the keys of a section. Reports an empty list and a name that two keys share.
 *
 * @param path path of the list, such as `providers.openai.keys`
 */
export function resolveKeys(entries: readonly KeySection[], path: string, report: ReportProblem): ProviderKey[] {
  if (entries.length === 0) report(path, "is empty", "write at least one key with name and value, or remove it");
  for (const [index, { name }] of entries.entries()) {
    const first = entries.findIndex((entry) => entry.name === name);
    if (first < index) report(`${path}[${index}].name`, `is already used by keys[${first}]`, "rename or remove one");
  }
  return entries.map(({ name, value, weight }) => ({ name, secret: new Secret(value), weight }));
}

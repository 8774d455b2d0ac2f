import { z } from "zod";
import { parseCount } from "./quantities.ts";

interface Rule<T> {
  /** Undefined for values that it does not understand. */
  readonly parse: (value: unknown) => T | undefined;
  /** Follows the value: `is not a duration`. */
  readonly problem: string;
  readonly fix: string;
  /** Whether the value may be shown as it stands in the file. Only where it cannot be a secret. */
  readonly shown?: boolean;
}

/** One value of the file. */
export function leaf<T>({ parse, problem, fix, shown = false }: Rule<T>) {
  return z.unknown().transform((value, context): T => {
    const result = parse(value);
    if (result !== undefined) return result;
    context.issues.push({ code: "custom", input: value, message: problem, params: { fix, shown } });
    return z.NEVER;
  });
}

/** A mapping with known keys. zod tells which keys are unknown, but not which are known: the message carries those. */
export function section<Shape extends z.core.$ZodShape>(shape: Shape) {
  const known = Object.keys(shape).join(" ");
  return z.strictObject(shape, { error: (issue) => (issue.code === "unrecognized_keys" ? known : undefined) });
}

export function choice<const Name extends string>(...names: readonly Name[]) {
  return leaf({
    parse: (value) => names.find((name) => name === value),
    problem: "is not a choice",
    fix: `write one of ${names.join(", ")}`,
    shown: true,
  });
}

export const text = leaf({
  parse: (value) => (typeof value === "string" && value !== "" ? value : undefined),
  problem: "is not text, or empty",
  fix: "write some text, in quotes when it looks like a number",
});

export const flag = leaf({
  // As text too, since a `${VARIABLE}` is always text.
  parse: (value) => [true, false].find((known) => String(known) === String(value)),
  problem: "is neither true nor false",
  fix: "write true or false",
  shown: true,
});

const largest = 2 ** 31 - 1;

/** A whole number in a range that both ends belong to. */
export function wholeNumber(from: number, to = largest) {
  const isOpen = to === largest && from <= 1;
  return leaf({
    parse: (value) => {
      const number = parseCount(value);
      return number !== undefined && number >= from && number <= to ? number : undefined;
    },
    problem: isOpen
      ? `is not a whole number${from === 1 ? " above zero" : ""}`
      : `is not a whole number from ${from} to ${to}`,
    fix: `write a number from ${from} to ${to}`,
    shown: true,
  });
}

/** Text of a certain form. */
export function pattern(form: RegExp, fix: string) {
  return leaf({
    parse: (value) => (typeof value === "string" && form.test(value) ? value : undefined),
    problem: "has characters that it cannot have, or is empty",
    fix,
  });
}

function parseBaseUrl(value: unknown): string | undefined {
  const url = URL.parse(typeof value === "string" ? value.trim() : "");
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return undefined;
  return url.href.replace(/\/+$/, "");
}

export const baseUrl = leaf({
  parse: parseBaseUrl,
  problem: "is not the base of an http:// or https:// URL",
  fix: "write it as https://host/path, without user, password, `?` or `#`; keys go into api_key or headers",
});

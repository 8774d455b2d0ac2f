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

export const countOrNone = leaf({
  parse: parseCount,
  problem: "is not a whole number",
  fix: "write a number from 0 to 2147483647",
  shown: true,
});

export const count = leaf({
  parse: (value) => parseCount(value) || undefined,
  problem: "is not a whole number above zero",
  fix: "write a number from 1 to 2147483647",
  shown: true,
});

import { z } from "zod";
import {
  decimalForms,
  describeForms,
  type JsonForm,
  jsonForms,
  matching,
  oneOf,
  wholeNumberForms,
} from "./json-forms.ts";
import { durationForms, longestTimerMs, parseCount, parseDuration, parseShare } from "./quantities.ts";

interface Rule<T> {
  /** Returns undefined for an invalid value. */
  readonly parse: (value: unknown) => T | undefined;
  /** Predicate that follows the value in the message: `is not a duration`. */
  readonly problem: string;
  readonly fix: string;
  /** What the value looks like in the JSON Schema of the file, which may accept more than `parse`. Default: anything. */
  readonly forms?: readonly JsonForm[];
  /** Whether error messages may quote the value. Set true only if the value cannot be a secret. Default false. */
  readonly shown?: boolean;
}

/** Creates the schema of one scalar value. */
export function leaf<T>({ parse, problem, fix, forms, shown = false }: Rule<T>) {
  const schema = z.unknown().transform((value, context): T => {
    const result = parse(value);
    if (result !== undefined) return result;
    context.issues.push({ code: "custom", input: value, message: problem, params: { fix, shown } });
    return z.NEVER;
  });
  return forms === undefined ? schema : schema.register(jsonForms, describeForms(forms, fix));
}

/** Creates the schema of a mapping. The zod issue for an unknown key, or for no mapping, lists the known keys. */
export function section<Shape extends z.core.$ZodShape>(shape: Shape) {
  const known = Object.keys(shape).join(" ");
  return z.strictObject(shape, { error: () => known });
}

export function choice<const Name extends string>(...names: readonly Name[]) {
  return leaf({
    parse: (value) => names.find((name) => name === value),
    problem: "is not a valid value",
    fix: `write one of ${names.join(", ")}`,
    forms: [oneOf(...names)],
    shown: true,
  });
}

/** Creates the schema of a choice with `on` and `off`, which YAML 1.1 renderers write as true and false. */
export function switchOf<const Name extends string>(...names: readonly (Name | "on" | "off")[]) {
  const spellings: Readonly<Record<string, string>> = { true: "on", false: "off" };
  return leaf({
    parse: (value) => names.find((name) => name === (spellings[String(value)] ?? String(value))),
    problem: "is not a valid value",
    fix: `write one of ${names.join(", ")}`,
    forms: [oneOf(...names, true, false, "true", "false")],
    shown: true,
  });
}

export const text = leaf({
  parse: (value) => (typeof value === "string" && value !== "" ? value : undefined),
  problem: "is not a string, or is empty",
  fix: "write a non-empty string; quote it if it looks like a number",
  forms: [{ type: "string", minLength: 1 }],
});

export const flag = leaf({
  // Strings are valid too, since a `${VARIABLE}` is a string.
  parse: (value) => [true, false].find((known) => String(known) === String(value)),
  problem: "is neither true nor false",
  fix: "write true or false",
  forms: [oneOf(true, false, "true", "false")],
  shown: true,
});

const percentage = matching("^[0-9]+(?:\\.[0-9]+)?%$", "85%");
const largest = 2 ** 31 - 1;

/** Creates the schema of a whole number from `from` to `to`, inclusive. */
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
    forms: wholeNumberForms(from, to),
    shown: true,
  });
}

const durationFix = `write a duration such as 500ms, 30s or 10m, or a number of milliseconds, up to ${longestTimerMs}`;
export const duration = leaf({
  parse: parseDuration,
  problem: "is not a duration",
  fix: durationFix,
  forms: durationForms(0),
  shown: true,
});
export const longDuration = leaf({
  parse: (value) => parseDuration(value) || undefined,
  problem: "is not a duration above zero",
  fix: durationFix,
  forms: durationForms(1),
  shown: true,
});

export const share = leaf({
  parse: parseShare,
  problem: "is not a share",
  fix: "write a number from 0 to 1 or a percentage, such as 0.85 or 85%",
  forms: [...decimalForms({ minimum: 0, maximum: 1 }), percentage],
  shown: true,
});
export const shareAboveZero = leaf({
  parse: (value) => parseShare(value) || undefined,
  problem: "is not a share above zero",
  fix: "write a number above 0 and up to 1 or a percentage, such as 0.85 or 85%",
  forms: [...decimalForms({ exclusiveMinimum: 0, maximum: 1 }), percentage],
  shown: true,
});

/** Creates the schema of a string that matches a regular expression. */
export function pattern(form: RegExp, fix: string) {
  return leaf({
    parse: (value) => (typeof value === "string" && form.test(value) ? value : undefined),
    problem: "is empty or has invalid characters",
    fix,
    forms: [matching(form.source)],
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
  problem: "is not an http:// or https:// base URL",
  fix: "write it as https://host/path or http://host:port/path, without user, password, `?` or `#`; set keys in api_key or headers",
  forms: [matching("^\\s*[hH][tT][tT][pP][sS]?://[^?#]+$", "https://host.example/v1")],
});

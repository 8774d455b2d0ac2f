import { type JsonForm, quantityForms } from "./json-forms.ts";

// Node.js fires a timer with a longer delay at once: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args
export const longestTimerMs = 2 ** 31 - 1;

/** Protobuf messages must be smaller than 2 GiB: https://protobuf.dev/programming-guides/encoding/#size-limit */
export const largestMessageBytes = 2 ** 31 - 1;

// Largest unit first: the first unit that divides a value gives its shortest text.
const durationUnits = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const ageUnits = { d: 86_400_000, ...durationUnits };
const sizeUnits = {
  GiB: 2 ** 30,
  GB: 10 ** 9,
  MiB: 2 ** 20,
  MB: 10 ** 6,
  KiB: 2 ** 10,
  KB: 1000,
  B: 1,
};

const storageUnits = { TiB: 2 ** 40, TB: 10 ** 12, ...sizeUnits };

/** Maximum of an age in ms, 100 years: no timer waits for it. */
const longestAgeMs = 36_500 * ageUnits.d;

/** Maximum size in bytes of what is stored in files: 1 PiB. */
const largestStorageBytes = 2 ** 50;

type Units = Readonly<Record<string, number>>;

/** JSON forms of what `parseDuration` accepts, from 0 or 1 ms. */
export const durationForms = (minimum: 0 | 1): readonly JsonForm[] =>
  quantityForms(durationUnits, { minimum, maximum: longestTimerMs, examples: ["500ms", "30s", "10m"] });

/** JSON forms of what `parseSize` accepts, from 1 byte. */
export const sizeForms = quantityForms(sizeUnits, {
  minimum: 1,
  maximum: largestMessageBytes,
  examples: ["512KiB", "16MiB"],
});

/** JSON forms of what `parseAge` accepts. */
export const ageForms = quantityForms(ageUnits, { minimum: 0, maximum: longestAgeMs, examples: ["30d", "12h"] });

/** JSON forms of what `parseStorageSize` accepts, from 1 byte. */
export const storageSizeForms = quantityForms(storageUnits, {
  minimum: 1,
  maximum: largestStorageBytes,
  examples: ["512MiB", "1GiB"],
});

/** Parses `500ms`, `30s`, `10m`, `1h` or a whole number of milliseconds. Returns ms; undefined for anything else. */
export function parseDuration(value: unknown): number | undefined {
  return parseQuantity(value, durationUnits, longestTimerMs);
}

/** Parses `512KiB`, `16MiB`, `1MB` or a whole number of bytes. Returns bytes; undefined for anything else. */
export function parseSize(value: unknown): number | undefined {
  return parseQuantity(value, sizeUnits, largestMessageBytes);
}

/** Parses `30d`, `12h` and whatever `parseDuration` accepts, up to 100 years. Returns ms; undefined for anything else. */
export function parseAge(value: unknown): number | undefined {
  return parseQuantity(value, ageUnits, longestAgeMs);
}

/** Parses `1GiB`, `2TB` and whatever `parseSize` accepts, up to 1 PiB. Returns bytes; undefined for anything else. */
export function parseStorageSize(value: unknown): number | undefined {
  return parseQuantity(value, storageUnits, largestStorageBytes);
}

/** Parses a whole number, also from a string, since a `${VARIABLE}` is one. Returns undefined for anything else. */
export function parseCount(value: unknown): number | undefined {
  return parseQuantity(value, {}, 2 ** 31 - 1);
}

/** Parses a number from 0 to 1, or a percentage such as `20%`. Returns undefined for anything else. */
export function parseShare(value: unknown): number | undefined {
  const [, percentage] = (typeof value === "string" && /^(.+)%$/.exec(value)) || [];
  const share = percentage === undefined ? parseDecimal(value) : (parseDecimal(percentage) ?? Number.NaN) / 100;
  return share !== undefined && share <= 1 ? share : undefined;
}

/** Parses a finite number that is not negative, also from a decimal string. Returns undefined for anything else. */
export function parseDecimal(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  return typeof number === "number" && number >= 0 && number < Number.POSITIVE_INFINITY ? Math.abs(number) : undefined;
}

/** Formats milliseconds as the shortest text with a unit that `parseDuration` accepts. */
export function formatDuration(ms: number): string {
  // Without its unit, YAML would quote the text.
  return ms === 0 ? "0s" : formatQuantity(ms, durationUnits);
}

/** Formats milliseconds as the shortest text that `parseAge` accepts. */
export function formatAge(ms: number): string {
  return formatQuantity(ms, ageUnits);
}

/** Formats bytes as the shortest text that `parseStorageSize` accepts. */
export function formatStorageSize(bytes: number): string {
  return formatQuantity(bytes, storageUnits);
}

/** Formats bytes as the shortest text that `parseSize` accepts. */
export function formatSize(bytes: number): string {
  return formatQuantity(bytes, sizeUnits);
}

function parseQuantity(value: unknown, units: Units, maximum: number): number | undefined {
  const match = /^(\d+) ?([A-Za-z]*)$/.exec(
    typeof value === "number" ? String(value) : typeof value === "string" ? value : "",
  );
  if (match === null) return undefined;
  const [, amount, unit = ""] = match;
  const quantity = Number(amount) * (unit === "" ? 1 : (units[unit] ?? Number.NaN));
  return quantity <= maximum ? quantity : undefined;
}

function formatQuantity(quantity: number, units: Units): string {
  for (const [unit, factor] of Object.entries(units)) {
    if (quantity >= factor && quantity % factor === 0) return `${quantity / factor}${unit}`;
  }
  return String(quantity);
}

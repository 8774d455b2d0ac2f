// Node runs a timer that is longer than this at once: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args
export const longestTimerMs = 2 ** 31 - 1;

/** protobuf messages end below 2 GiB: https://protobuf.dev/programming-guides/encoding/#size-limit */
export const largestMessageBytes = 2 ** 31 - 1;

// Largest first, so that the first unit that divides a value writes it shortest.
const durationUnits = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const sizeUnits = {
  GiB: 2 ** 30,
  GB: 10 ** 9,
  MiB: 2 ** 20,
  MB: 10 ** 6,
  KiB: 2 ** 10,
  KB: 1000,
  B: 1,
};

type Units = Readonly<Record<string, number>>;

/** Milliseconds of `30s`, `500ms`, `10m`, `1h`, or of a whole number of milliseconds. Undefined for anything else. */
export function parseDuration(value: unknown): number | undefined {
  return parseQuantity(value, durationUnits, longestTimerMs);
}

/** Bytes of `16MiB`, `512KiB`, `1MB`, or of a whole number of bytes. Undefined for anything else. */
export function parseSize(value: unknown): number | undefined {
  return parseQuantity(value, sizeUnits, largestMessageBytes);
}

/** A whole number, also as text, since a `${VARIABLE}` is always text. Undefined for anything else. */
export function parseCount(value: unknown): number | undefined {
  return parseQuantity(value, {}, 2 ** 31 - 1);
}

/** The shortest text that `parseDuration` reads as `ms`. */
export function formatDuration(ms: number): string {
  return formatQuantity(ms, durationUnits);
}

/** The shortest text that `parseSize` reads as `bytes`. */
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

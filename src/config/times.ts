/** First and last millisecond of the years 1 to 9999, which both ISO 8601 and google.protobuf.Timestamp can hold. */
export const firstTimeMs = -62_135_596_800_000;
export const lastTimeMs = 253_402_300_799_999;

/** Whether a time in ms since 1970 is in the years 1 to 9999. */
export function isInRange(ms: number): boolean {
  return ms >= firstTimeMs && ms <= lastTimeMs;
}

/**
 * Parses a time with its zone, such as `2026-12-31T17:00:00Z`, or a date, which means midnight UTC. Returns ms since
 * 1970; undefined for anything else, for a date that does not exist, and outside the years 1 to 9999.
 */
export function parseTime(value: unknown): number | undefined {
  const [, date = "", time] =
    (typeof value === "string" &&
      /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)))?$/.exec(value)) ||
    [];
  // JavaScript reads February 30 as March 2.
  const day = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(day) || !new Date(day).toISOString().startsWith(date)) return undefined;
  const ms = time === undefined ? day : Date.parse(`${date}T${time}`);
  return isInRange(ms) ? ms : undefined;
}

/** Whether a text is the name of a time zone in the IANA database, such as `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
  // The default, for which Intl would load 8 MiB.
  if (name === "UTC") return true;
  // Intl also accepts offsets such as +02:00.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * Parses a time with its zone, such as `2026-12-31T17:00:00Z`, or a date, which means midnight UTC. Returns ms since
 * 1970; undefined for anything else, and for a date that does not exist.
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
  return Number.isNaN(ms) ? undefined : ms;
}

/** Whether a text is the name of a time zone in the IANA database, such as `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
  // Intl also accepts offsets such as +02:00.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

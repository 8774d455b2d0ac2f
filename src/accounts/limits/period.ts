import type { BudgetPeriod } from "../../config/account.ts";

/** Time in which a budget applies: from `startMs`, inclusive, to `endMs`, exclusive, in ms since 1970. */
export interface Period {
  /** Unique among all periods of budgets with the same `period`, such as `2026-11` or `2026-11-29`. */
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** A date without time and zone, as milliseconds since 1970 in UTC. */
type DateMs = number;

const dayMs = 24 * 60 * 60 * 1000;
/** More than any time zone differs from UTC, and than any clock is set forward or back. */
const farMs = 2 * dayMs;

/** First date of the period that contains a date, and of the one `further` periods later. */
const firstDates: Readonly<Record<BudgetPeriod, (date: DateMs, further: number) => DateMs>> = {
  day: (date, further) => date + further * dayMs,
  // 1970-01-01 was a Thursday. A week begins on Monday.
  week: (date, further) => date - ((((date / dayMs + 3) % 7) + 7) % 7) * dayMs + further * 7 * dayMs,
  month: (date, further) => firstOfMonth(date, 1, further),
  quarter: (date, further) => firstOfMonth(date, 3, further),
};

function firstOfMonth(date: DateMs, months: number, further: number): DateMs {
  const day = new Date(date);
  const month = Math.floor(day.getUTCMonth() / months) * months + further * months;
  return Date.UTC(day.getUTCFullYear(), month, 1);
}

/** The latest period of each kind and time zone: nearly all calls are in it. */
const latest: Readonly<Record<BudgetPeriod, Map<string, Period>>> = {
  day: new Map(),
  week: new Map(),
  month: new Map(),
  quarter: new Map(),
};
/** Maximum number of time zones to remember for each kind. There are about 600. */
const mostRemembered = 1024;

/**
 * Returns the period that contains a time. Every time is in exactly one period of a kind and zone, and periods touch:
 * each begins at the first time at which its first date, or a later one, is the date in its zone. In zones whose clocks
 * are set at midnight, that need not be 0 o'clock.
 */
export function periodAt(kind: BudgetPeriod, timeZone: string, atMs: number): Period {
  const ofKind = latest[kind];
  const known = ofKind.get(timeZone);
  if (known !== undefined && known.startMs <= atMs && atMs < known.endMs) return known;
  const period = findPeriod(kind, timeZone, atMs);
  if (ofKind.size >= mostRemembered) ofKind.clear();
  ofKind.set(timeZone, period);
  return period;
}

function findPeriod(kind: BudgetPeriod, timeZone: string, atMs: number): Period {
  const firstDate = firstDates[kind];
  const date = Math.floor(localTime(timeZone, atMs) / dayMs) * dayMs;
  let first = firstDate(date, 0);
  // A clock that is set back can show the last minutes of a date again after the next date has begun.
  if (atMs >= beginOf(timeZone, firstDate(first, 1))) first = firstDate(first, 1);
  return {
    name: nameOf(kind, first),
    startMs: beginOf(timeZone, first),
    endMs: beginOf(timeZone, firstDate(first, 1)),
  };
}

function nameOf(kind: BudgetPeriod, first: DateMs): string {
  const date = new Date(first).toISOString().slice(0, 10);
  switch (kind) {
    case "day":
      return date;
    case "week":
      return `week-${date}`;
    case "month":
      return date.slice(0, 7);
    case "quarter":
      return `${date.slice(0, 4)}-q${new Date(first).getUTCMonth() / 3 + 1}`;
    default:
      return kind satisfies never;
  }
}

/** Returns the first time at which the date in a zone is `date` or a later one. */
function beginOf(timeZone: string, date: DateMs): number {
  const offsets = new Set([-farMs, -dayMs, 0, dayMs, farMs].map((ms) => localTime(timeZone, date + ms) - date - ms));
  const midnights = [...offsets].map((offset) => date - offset).filter((ms) => localTime(timeZone, ms) === date);
  if (midnights.length > 0) return Math.min(...midnights);
  // The clocks skip midnight: find when they do.
  let [before, after] = [date - farMs, date + farMs];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (localTime(timeZone, middle) < date) before = middle;
    else after = middle;
  }
  return after;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Returns the date and time that clocks in a zone show, as if it were UTC. */
function localTime(timeZone: string, atMs: number): number {
  // The default, for which Intl would load 8 MiB.
  if (timeZone === "UTC") return atMs;
  let format = formats.get(timeZone);
  if (format === undefined) {
    const numeric = "numeric";
    const fields = {
      year: numeric,
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
      second: numeric,
    } as const;
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "iso8601",
      hourCycle: "h23",
      era: "short",
      ...fields,
    });
    formats.set(timeZone, format);
  }
  const seconds = Math.floor(atMs / 1000) * 1000;
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
  for (const { type, value } of format.formatToParts(seconds)) part[type] = value;
  const { year, month, day, hour, minute, second } = part;
  const [hours, minutes, wholeSeconds] = [Number(hour), Number(minute), Number(second)];
  return Date.UTC(Number(year), Number(month) - 1, Number(day), hours, minutes, wholeSeconds) + (atMs - seconds);
}

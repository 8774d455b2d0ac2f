import { UsageError } from "../failures.ts";

export const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Time range in ms since 1970, in whole hours. It does not include its end. */
export interface TimeRange {
  readonly startMs: number;
  readonly endMs: number;
}

interface RangeOptions {
  readonly last?: string;
  readonly since?: string;
  readonly until?: string;
}

/** Reads the options of a time range. By default, it is the last 7 days with the current hour. Throws UsageError. */
export function readRange({ last, since, until }: RangeOptions, nowMs: number): TimeRange {
  if (last !== undefined && since !== undefined) throw new UsageError("--last and --since cannot be combined");
  const endMs = up(until === undefined ? nowMs : readTime("--until", until));
  const startMs = down(since === undefined ? endMs - readSpan(last ?? "7d") : readTime("--since", since));
  if (startMs < endMs) return { startMs, endMs };
  throw new UsageError(
    until === undefined
      ? "--since must not be later than now"
      : "--until must be later than the beginning of the range",
  );
}

const spanUnits: Readonly<Record<string, number>> = { h: hourMs, d: dayMs, w: 7 * dayMs };
const longestMs = 100 * 366 * dayMs;

function readSpan(text: string): number {
  const [, count = "", unit = ""] = /^(\d{1,6})([hdw])$/.exec(text) ?? [];
  const ms = Number(count) * (spanUnits[unit] ?? 0);
  if (ms > 0 && ms <= longestMs) return ms;
  throw new UsageError("--last is no span of time; write hours, days or weeks, such as 24h, 7d or 4w");
}

/** A day, or a day and a time, which is in UTC unless it has an offset. */
const timePattern = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?$/;

function readTime(option: string, text: string): number {
  const [day = "", time = "00:00Z"] = text.split(/[T ]/);
  const ms = timePattern.test(text) ? Date.parse(`${day}T${/Z|[+-]/.test(time) ? time : `${time}Z`}`) : Number.NaN;
  // JavaScript takes February 30 for March 2.
  const isDay = !Number.isNaN(ms) && new Date(`${day}T00:00Z`).toISOString().startsWith(day);
  if (isDay) return ms;
  throw new UsageError(
    `${option} is no time; write a day such as 2026-11-29 or a time such as 2026-11-29T14:00, in UTC`,
  );
}

function down(ms: number): number {
  return Math.floor(ms / hourMs) * hourMs;
}

function up(ms: number): number {
  return Math.ceil(ms / hourMs) * hourMs;
}

/** Formats a whole hour: `2026-11-29 14:00`. */
export function formatHour(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

/** Formats the beginning of a step of time. */
export function formatStep(ms: number, interval: "hour" | "day" | "month"): string {
  return formatHour(ms).slice(0, { hour: 16, day: 10, month: 7 }[interval]);
}

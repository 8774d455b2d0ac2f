import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { periodAt } from "../../../src/accounts/limits/period.ts";
import { budgetPeriods } from "../../../src/config/account.ts";

const zones = [
  ...["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham"],
  // Clocks that were set at midnight, at a minute past it, and a zone that skipped a date.
  ...["America/Sao_Paulo", "America/St_Johns", "Pacific/Apia", "Asia/Beirut", "Africa/Cairo", "America/Havana"],
];
const runs = Number(process.env.PERIOD_RUNS ?? 300);

const localDate = (timeZone: string, ms: number) =>
  new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).format(ms);

describe("periodAt", () => {
  it("puts every time into exactly one period, which touches the next one", () => {
    const time = fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2060, 0) });
    fc.assert(
      fc.property(fc.constantFrom(...budgetPeriods), fc.constantFrom(...zones), time, (kind, zone, ms) => {
        const period = periodAt(kind, zone, ms);
        expect(period.startMs <= ms && ms < period.endMs).toBe(true);
        expect(periodAt(kind, zone, period.startMs)).toEqual(period);
        expect(periodAt(kind, zone, period.endMs - 1)).toEqual(period);
        const next = periodAt(kind, zone, period.endMs);
        expect(next.startMs).toBe(period.endMs);
        expect(next.name > period.name).toBe(true);
        const previous = periodAt(kind, zone, period.startMs - 1);
        expect(previous.endMs).toBe(period.startMs);
      }),
      { numRuns: runs },
    );
  });

  it("begins a day when its date does", () => {
    const time = fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2060, 0) });
    fc.assert(
      fc.property(fc.constantFrom(...zones), time, (zone, ms) => {
        const { name, startMs } = periodAt("day", zone, ms);
        expect(localDate(zone, startMs)).toBe(name);
        expect(localDate(zone, startMs - 1) < name).toBe(true);
      }),
      { numRuns: runs },
    );
  });

  it.each([
    ["day", "Europe/Berlin", "2026-03-29T10:00:00Z", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"],
    ["day", "America/Sao_Paulo", "2018-11-04T12:00:00Z", "2018-11-04", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"],
    ["day", "America/St_Johns", "2010-11-07T02:45:00Z", "2010-11-07", "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z"],
    ["day", "Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-31", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"],
    ["week", "UTC", "2026-11-29T23:59:59Z", "week-2026-11-23", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"],
    ["month", "UTC", "2024-02-29T00:00:00Z", "2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"],
    ["quarter", "UTC", "2026-11-29T00:00:00Z", "2026-q4", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"],
  ] as const)("knows the %s in %s at %s", (kind, zone, at, name, start, end) => {
    const expected = { name, startMs: Date.parse(start), endMs: Date.parse(end) };
    expect(periodAt(kind, zone, Date.parse(at))).toEqual(expected);
  });
});

import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/cli/failures.ts";
import { formatHour, formatStep, readRange } from "../../../src/cli/usage/time-range.ts";

const now = Date.parse("2026-11-29T15:20:00Z");

describe("the time range of a report", () => {
  it.each([
    [{}, "2026-11-22 16:00", "2026-11-29 16:00"],
    [{ last: "24h" }, "2026-11-28 16:00", "2026-11-29 16:00"],
    [{ last: "7d" }, "2026-11-22 16:00", "2026-11-29 16:00"],
    [{ last: "4w" }, "2026-11-01 16:00", "2026-11-29 16:00"],
    [{ since: "2026-11-29" }, "2026-11-29 00:00", "2026-11-29 16:00"],
    [{ since: "2026-11-01", until: "2026-11-02" }, "2026-11-01 00:00", "2026-11-02 00:00"],
    [{ since: "2026-11-01T10:30", until: "2026-11-01 12:00:01Z" }, "2026-11-01 10:00", "2026-11-01 13:00"],
    [{ since: "2026-11-01T10:00+02:00" }, "2026-11-01 08:00", "2026-11-29 16:00"],
    [{ last: "1d", until: "2026-11-02" }, "2026-11-01 00:00", "2026-11-02 00:00"],
  ])("of %j is whole hours in UTC", (options, start, end) => {
    const range = readRange(options, now);
    expect([formatHour(range.startMs), formatHour(range.endMs)]).toEqual([start, end]);
  });

  it.each([
    [{ last: "7d", since: "2026-11-01" }, /^--last and --since cannot be combined$/],
    [{ last: "7" }, /^--last is no span of time; write hours, days or weeks, such as 24h, 7d or 4w$/],
    [{ last: "0d" }, /^--last is no span/],
    [{ last: "999999w" }, /^--last is no span/],
    [{ since: "yesterday" }, /^--since is no time; write a day such as 2026-11-29 or a time such as 2026-11-29T14:00/],
    [{ until: "2026-02-30" }, /^--until is no time/],
    [{ since: "2026-11-01T25:00" }, /^--since is no time/],
    [{ since: "2026-12-01" }, /^--since must not be later than now$/],
    [{ since: "2026-11-02", until: "2026-11-01" }, /^--until must be later than the beginning of the range$/],
  ])("rejects %j", (options, message) => {
    expect(() => readRange(options, now)).toThrow(UsageError);
    expect(() => readRange(options, now)).toThrow(message);
  });

  it("shows steps as hours, days and months", () => {
    const steps = (["hour", "day", "month"] as const).map((interval) => formatStep(now - 1_200_000, interval));
    expect(steps).toEqual(["2026-11-29 15:00", "2026-11-29", "2026-11"]);
  });
});

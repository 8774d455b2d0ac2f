import { describe, expect, it } from "vitest";
import { sortSums, type UsageReport } from "../../../src/cli/usage/report.ts";
import { csvOf, jsonOf } from "../../../src/cli/usage/usage-data.ts";
import { tableOf } from "../../../src/cli/usage/usage-table.ts";
import type { UsageSum } from "../../../src/ledger/usage-reader.ts";

const startMs = Date.parse("2026-11-22T16:00:00Z");
const range = { startMs, endMs: Date.parse("2026-11-29T16:00:00Z") };

function sum(groups: readonly string[], costNanos: bigint, changes: Partial<UsageSum> = {}): UsageSum {
  return {
    ...{ startMs, groups, calls: 1_234n, failedCalls: 12n, inputTokens: 45_678_901n, outputTokens: 2_345_678n },
    ...{ cachedInputTokens: 30_000_000n, costNanos, unpricedCalls: 0n, ...changes },
  };
}

const report = (sums: readonly UsageSum[], changes: Partial<UsageReport> = {}): UsageReport => ({
  ...{ range, interval: "range", groups: ["account", "model"], sums },
  ...changes,
});

const anywhere = { columns: undefined, hasStyles: false };
const two = [
  sum(["billing", "anthropic/claude-sonnet-5"], 123_456_000_000n),
  sum(["search", "openai/gpt-5.5-mini"], 7_890_000_000n, { calls: 5n, failedCalls: 0n }),
];

describe("the table of a report", () => {
  it("has its range, a row for each sum, and a total", () => {
    expect(tableOf(report(two), anywhere)).toBe(`Usage from 2026-11-22 16:00 to 2026-11-29 16:00 UTC

account  model                      calls  failed       input      cached     output     cost
billing  anthropic/claude-sonnet-5  1,234      12  45,678,901  30,000,000  2,345,678  $123.46
search   openai/gpt-5.5-mini            5       0  45,678,901  30,000,000  2,345,678    $7.89
---------------------------------------------------------------------------------------------
total                               1,239      12  91,357,802  60,000,000  4,691,356  $131.35
`);
  });

  it("fits a terminal of 80 columns with short counts, and then with cut names", () => {
    const table = tableOf(report(two), { columns: 80, hasStyles: false });
    expect(table).toBe(`Usage from 2026-11-22 16:00 to 2026-11-29 16:00 UTC

account  model                     calls  failed  input  cached  output     cost
billing  anthropic/cl…de-sonnet-5  1,234      12  45.7M   30.0M   2.35M  $123.46
search   openai/gpt-5.5-mini           5       0  45.7M   30.0M   2.35M    $7.89
--------------------------------------------------------------------------------
total                              1,239      12  91.4M   60.0M   4.69M  $131.35
`);
  });

  it("has the step of time first, and no total for one row", () => {
    const days = report([sum([], 5_000_000n)], { interval: "day", groups: [] });
    expect(tableOf(days, anywhere)).toBe(`Usage from 2026-11-22 16:00 to 2026-11-29 16:00 UTC

day         calls  failed       input      cached     output     cost
2026-11-22  1,234      12  45,678,901  30,000,000  2,345,678  $0.0050
`);
  });

  it("marks amounts without the cost of some calls", () => {
    const marked = [two[0] as UsageSum, sum(["search", "vllm/own"], 0n, { unpricedCalls: 1_000n })];
    const table = tableOf(report(marked), anywhere);
    expect(table).toMatch(/cost\n/);
    expect(table).toMatch(/\$123\.46\n/);
    expect(table).toMatch(/ unknown \*\n/);
    expect(table).toMatch(
      /\$123\.46 \*\n\n\* without 1,000 calls whose price is not known; set it in the section prices/,
    );
  });

  it("names empty groups, and shows no control characters that callers wrote", () => {
    const table = tableOf(report([sum(["", "evil\u001b[2J"], 0n)]), anywhere);
    expect(table).toContain("(none)   evil\ufffd[2J  1,234");
  });

  it("is a sentence if there are no calls", () => {
    expect(tableOf(report([]), anywhere)).toBe("No calls from 2026-11-22 16:00 to 2026-11-29 16:00 UTC.\n");
  });

  it("has bold titles and totals only for a terminal with styles", () => {
    expect(tableOf(report(two), { columns: 120, hasStyles: false })).not.toContain("\u001b");
    const lines = tableOf(report(two), { columns: 120, hasStyles: true }).split("\n");
    const bold = lines.filter((line) => line.startsWith("\u001b[1m")).map((line) => line.slice(4, 11).trim());
    expect(bold).toEqual(["account", "total"]);
  });
});

describe("the data of a report", () => {
  it("is one JSON object per row, with whole names and exact amounts", () => {
    const rows = jsonOf(
      report([sum(["billing", "a\u009bb\u{e0001}"], 7_890_000_001n)], { groups: ["account", "label:team"] }),
    );
    expect(rows).toMatch(/^\{.*\}\n$/);
    expect(rows).toContain("a\\u009bb\\udb40\\udc01");
    expect(JSON.parse(rows)).toEqual({
      ...{ start_time: "2026-11-22T16:00:00Z", account: "billing", "label:team": "a\u009bb\u{e0001}" },
      ...{ calls: 1234, failed_calls: 12, input_tokens: 45_678_901, cached_input_tokens: 30_000_000 },
      ...{ output_tokens: 2_345_678, cost_usd: "7.890000001", unpriced_calls: 0 },
    });
  });

  it.each([
    ["=HYPERLINK(1)", "'=HYPERLINK(1)"],
    ["+1", "'+1"],
    ["-2", "'-2"],
    ["@SUM(A1)", "'@SUM(A1)"],
    [" =1", "' =1"],
    ["\t=1", "\ufffd=1"],
    ["\uff1d1", "'\uff1d1"],
    ["a=b-c", "a=b-c"],
    ["'=1", "'=1"],
    ["evil\u001b[2J\r\n=1", "evil\ufffd[2J\ufffd\ufffd=1"],
  ])("is CSV in which no name is a formula or controls a terminal: %j", (name, field) => {
    expect(
      csvOf(report([sum([name, ""], 0n)]))
        .split("\r\n")[1]
        ?.split(",")[1],
    ).toBe(field);
  });

  it("is CSV with titles, also without rows", () => {
    const names =
      "start_time,account,model,calls,failed_calls,input_tokens,cached_input_tokens,output_tokens,cost_usd,unpriced_calls\r\n";
    expect(csvOf(report([]))).toBe(names);
    expect(csvOf(report([sum(['a "b", c', ""], 0n)]))).toBe(
      `${names}2026-11-22T16:00:00Z,"a ""b"", c",,1234,12,45678901,30000000,2345678,0.00,0\r\n`,
    );
  });
});

describe("the order of a report", () => {
  it("is by time, then by cost, then by calls", () => {
    const later = startMs + 3_600_000;
    const sums = [
      sum(["later"], 900n, { startMs: later }),
      sum(["cheap"], 1n),
      sum(["rare"], 5n, { calls: 1n }),
      sum(["often"], 5n, { calls: 2n }),
    ];
    expect(sortSums(sums).map(({ groups }) => groups[0])).toEqual(["often", "rare", "cheap", "later"]);
  });
});

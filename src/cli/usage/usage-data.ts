import type { UsageSum } from "../../ledger/usage-reader.ts";
import { printable } from "../table.ts";
import { escapeControls } from "../terminal-text.ts";
import { exactDollars } from "./amounts.ts";
import type { UsageReport } from "./report.ts";

/** Values of a row for programs, by name. Counts are numbers, and the cost is a decimal string. */
function valuesOf(groups: readonly string[], sum: UsageSum): Readonly<Record<string, string | number>> {
  return {
    start_time: new Date(sum.startMs).toISOString().replace(".000Z", "Z"),
    ...Object.fromEntries(groups.map((name, index) => [name, sum.groups[index] ?? ""])),
    calls: Number(sum.calls),
    failed_calls: Number(sum.failedCalls),
    input_tokens: Number(sum.inputTokens),
    cached_input_tokens: Number(sum.cachedInputTokens),
    output_tokens: Number(sum.outputTokens),
    cost_usd: exactDollars(sum.costNanos),
    unpriced_calls: Number(sum.unpricedCalls),
  };
}

/** Returns the report as JSON, one object per line. */
export function jsonOf({ groups, sums }: UsageReport): string {
  return sums.map((sum) => `${escapeControls(JSON.stringify(valuesOf(groups, sum)))}\n`).join("");
}

const emptySum: UsageSum = {
  ...{ startMs: 0, groups: [], calls: 0n, failedCalls: 0n, inputTokens: 0n, outputTokens: 0n },
  ...{ cachedInputTokens: 0n, costNanos: 0n, unpricedCalls: 0n },
};

/** Returns the report as CSV (RFC 4180) with a line of titles. */
export function csvOf({ groups, sums }: UsageReport): string {
  const lines = [Object.keys(valuesOf(groups, emptySum)), ...sums.map((sum) => Object.values(valuesOf(groups, sum)))];
  return lines.map((line) => `${line.map(csvField).join(",")}\r\n`).join("");
}

/**
 * Formats a field. Spreadsheets take a text that begins with `=`, `+`, `-` or `@` for a formula, which could send the
 * other fields elsewhere: an apostrophe makes it a text (https://owasp.org/www-community/attacks/CSV_Injection).
 */
function csvField(value: string | number): string {
  const text =
    typeof value === "number"
      ? String(value)
      : printable(value).replace(/^(?=\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/u, "'");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

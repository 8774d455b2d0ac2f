import { styleText } from "node:util";
import type { UsageSum } from "../../ledger/usage-reader.ts";
import { type Column, columnCount, layOut } from "../table.ts";
import { formatCount, formatDollars, formatShort } from "./amounts.ts";
import type { UsageReport } from "./report.ts";
import { formatHour, formatStep } from "./time-range.ts";

/** Columns of counts, in their order. */
const counters = {
  calls: "calls",
  failedCalls: "failed",
  inputTokens: "input",
  cachedInputTokens: "cached",
  outputTokens: "output",
} as const satisfies Partial<Record<Counter, string>>;

type Counter = Exclude<keyof UsageSum, "startMs" | "groups">;

interface Terminal {
  /** Undefined: no terminal, and lines can have any width. */
  readonly columns: number | undefined;
  readonly hasStyles: boolean;
}

/** Returns a report as a table with its time range, and with a total if there are several rows. */
export function tableOf(report: UsageReport, { columns, hasStyles }: Terminal): string {
  const { range, sums } = report;
  const when = `from ${formatHour(range.startMs)} to ${formatHour(range.endMs)} UTC`;
  if (sums.length === 0) return `No calls ${when}.\n`;
  const total = totalOf(sums);
  const hasTotal = sums.length > 1;
  const [titles = "", ...rows] = layOut(columnsOf(report, hasTotal ? total : undefined), columns);
  const bold = (line: string) => (hasStyles ? styleText("bold", line, { validateStream: false }) : line);
  const rule = "-".repeat(rows.reduce((widest, line) => Math.max(widest, columnCount(line)), columnCount(titles)));
  const lines = hasTotal ? [...rows.slice(0, -1), rule, bold(rows.at(-1) ?? "")] : rows;
  return `Usage ${when}\n\n${[bold(titles), ...lines].join("\n")}\n${noteOf(total)}`;
}

function noteOf({ unpricedCalls }: UsageSum): string {
  if (unpricedCalls === 0n) return "";
  const calls = unpricedCalls === 1n ? "1 call" : `${formatCount(unpricedCalls)} calls`;
  return `\n* without ${calls} whose price is not known; set it in the section prices of the configuration\n`;
}

function columnsOf({ interval, groups, sums }: UsageReport, total: UsageSum | undefined): readonly Column[] {
  const names: Column[] = groups.map((title, index) => ({
    ...{ title, align: "left", isCut: true },
    cells: sums.map((sum) => sum.groups[index] || "(none)"),
  }));
  if (interval !== "range") {
    const cells = sums.map(({ startMs }) => formatStep(startMs, interval));
    names.unshift({ title: interval, align: "left", cells });
  }
  const rows = total === undefined ? sums : [...sums, total];
  const titled = names.map((column, index) => ({
    ...column,
    cells: total === undefined ? column.cells : [...column.cells, index === 0 ? "total" : ""],
  }));
  return [
    ...titled,
    ...Object.entries(counters).map(([name, title]) => countColumn(name as Counter, title, rows)),
    costColumn(rows),
  ];
}

function countColumn(counter: Counter, title: string, rows: readonly UsageSum[]): Column {
  const isTokens = counter.endsWith("Tokens");
  return {
    ...{ title, align: "right" },
    cells: rows.map((row) => formatCount(row[counter])),
    ...(isTokens && { shortCells: rows.map((row) => formatShort(row[counter])) }),
  };
}

/** Amounts without the cost of some calls have a mark, and are `unknown` without the cost of any. */
function costColumn(rows: readonly UsageSum[]): Column {
  const dollars = formatDollars(rows.map(({ costNanos }) => costNanos));
  if (rows.every(({ unpricedCalls }) => unpricedCalls === 0n)) return { title: "cost", align: "right", cells: dollars };
  const cells = rows.map(({ costNanos, unpricedCalls }, row) => {
    if (unpricedCalls === 0n) return `${dollars[row]}  `;
    return costNanos === 0n ? "unknown *" : `${dollars[row]} *`;
  });
  return { title: "cost  ", align: "right", cells };
}

function totalOf(sums: readonly UsageSum[]): UsageSum {
  const sum = (counter: Counter) => sums.reduce((total, row) => total + row[counter], 0n);
  return {
    ...{ startMs: 0, groups: [] },
    ...{ calls: sum("calls"), failedCalls: sum("failedCalls") },
    ...{ inputTokens: sum("inputTokens"), outputTokens: sum("outputTokens") },
    ...{ cachedInputTokens: sum("cachedInputTokens"), costNanos: sum("costNanos") },
    unpricedCalls: sum("unpricedCalls"),
  };
}

import { cpus, loadavg, release, totalmem } from "node:os";
import { type Comparison, compareRounds, type Summary, summarize } from "./statistics.ts";

export interface Budget {
  readonly kind: "at most" | "at least";
  readonly limit: number;
}

/** One measured figure of the service. Summaries are over the rounds. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: Summary;
  /** The same of what the service is held against. */
  readonly reference?: Summary;
  /** Of the two, in each round: the ratio, or the difference in the figure's unit. */
  readonly compared?: Summary;
  /** For the median of `compared` where there is a reference, else of `value`. Undefined: only for information. */
  readonly budget?: Budget;
}

export interface Section {
  readonly title: string;
  /** What the references are of. */
  readonly against?: string;
  readonly comparison?: Comparison;
  readonly figures: readonly Figure[];
}

/** A figure without a reference, measured once. */
export function single(name: string, unit: string, value: number, budget?: Budget): Figure {
  return { name, unit, value: summarize([value]), ...(budget && { budget }) };
}

/** A figure from rounds in which the service and its reference took turns. */
export function versus(
  name: string,
  unit: string,
  comparison: Comparison,
  values: readonly number[],
  references: readonly number[],
  budget?: Budget,
): Figure {
  const compared = summarize(compareRounds(values, references, comparison));
  return {
    name,
    unit,
    value: summarize(values),
    reference: summarize(references),
    compared,
    ...(budget && { budget }),
  };
}

export function atMost(limit: number): Budget {
  return { kind: "at most", limit };
}

export function atLeast(limit: number): Budget {
  return { kind: "at least", limit };
}

/** Undefined without a budget. */
export function isWithinBudget({ value, compared = value, budget }: Figure): boolean | undefined {
  if (budget === undefined) return undefined;
  return budget.kind === "at most" ? compared.median <= budget.limit : compared.median >= budget.limit;
}

/** Three significant digits, and never an exponent. */
function format(value: number | undefined): string {
  if (value === undefined) return "";
  if (!Number.isFinite(value)) return "-";
  if (Number.isInteger(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3));
}

function formatRange({ min, max }: Summary): string {
  return min === max ? "" : `${format(min)} to ${format(max)}`;
}

function formatRow(cells: readonly string[]): string {
  const [name = "", value = "", reference = "", compared = "", range = "", budget = "", mark = ""] = cells;
  const numbers = [value.padStart(9), reference.padStart(14), compared.padStart(8)];
  return ["", name.padEnd(58), ...numbers, range.padEnd(16), budget.padEnd(13), mark].join(" ").trimEnd();
}

function formatFigure(figure: Figure): string {
  const { name, unit, value, reference, compared, budget } = figure;
  const limit = budget === undefined ? "" : `${budget.kind} ${format(budget.limit)}`;
  const mark = { true: "ok", false: "MISSED", undefined: "" }[`${isWithinBudget(figure)}`];
  const summaries = [value, reference, compared].map((summary) => format(summary?.median));
  return formatRow([
    unit === "" ? name : `${name}, ${unit}`,
    ...summaries,
    formatRange(compared ?? value),
    limit,
    mark,
  ]);
}

export function formatSection({ title, against, comparison, figures }: Section): string {
  const head = formatRow([title, "service", against ?? "", comparison ?? "", "range", "budget"]);
  return [head, ...figures.map(formatFigure), ""].join("\n");
}

/** Where the figures were measured; they compare only with those of the same machine. */
export function describeMachine() {
  return {
    processor: cpus()[0]?.model ?? "unknown",
    processors: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${release()}`,
    node: process.version,
    loadAverage: loadavg().map((value) => Number(value.toFixed(2))),
  };
}

import { cpus, loadavg, release, totalmem } from "node:os";
import { type Comparison, compareRounds, type Summary, summarize } from "./statistics.ts";

/** Limit for a measured figure, in the unit of the figure or as a ratio to the baseline. */
export interface Budget {
  readonly kind: "at most" | "at least";
  readonly limit: number;
}

/** One measured figure of the service, summarized over the rounds. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: Summary;
  /** The same figure of the baseline. */
  readonly reference?: Summary;
  /** The per-round ratio of service to baseline, or their difference in the figure's unit. */
  readonly compared?: Summary;
  /** Applies to the median of `compared` if there is a reference, otherwise of `value`. Unset: no limit. */
  readonly budget?: Budget;
}

export interface Section {
  readonly title: string;
  /** Heading of the first value. Default: the service. */
  readonly of?: string;
  /** Name of the baseline. */
  readonly against?: string;
  readonly comparison?: Comparison;
  readonly figures: readonly Figure[];
}

/** Makes a figure that is measured once and has no baseline. */
export function single(name: string, unit: string, value: number, budget?: Budget): Figure {
  return { name, unit, value: summarize([value]), ...(budget && { budget }) };
}

/** Makes a figure from rounds in which the service and the baseline were both measured. */
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

/** Returns whether the figure is within its budget, or undefined if it has none. */
export function isWithinBudget({ value, compared = value, budget }: Figure): boolean | undefined {
  if (budget === undefined) return undefined;
  return budget.kind === "at most" ? compared.median <= budget.limit : compared.median >= budget.limit;
}

/** Formats a number with three significant digits, at most three decimals and no exponent. */
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
  return ["", name.padEnd(72), ...numbers, range.padEnd(16), budget.padEnd(13), mark].join(" ").trimEnd();
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

export function formatSection({ title, of = "service", against, comparison, figures }: Section): string {
  const head = formatRow([title, of, against ?? "", comparison ?? "", "range", "budget"]);
  return [head, ...figures.map(formatFigure), ""].join("\n");
}

/** Describes this machine. Figures are comparable only with those of the same machine. */
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

import {
  type Dialect,
  type Form,
  forms,
  headingOf,
  isApplicable,
  isBytes,
  resultOf,
  titleOf,
  wireOf,
} from "../dialect.ts";
import type { DialectHold, FileHold, Kind } from "./kind.ts";

/** A test that was run. */
export interface TestRun {
  /** Path in the repository. */
  readonly file: string;
  /** Titles of the enclosing `describe` blocks, outermost first. */
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: string;
}

export interface KindTable {
  readonly text: string;
  /** Cells with neither a passed test nor a reason. */
  readonly problems: readonly string[];
  /** Tests that are still to be confirmed. */
  readonly unconfirmed: readonly string[];
}

/** Result of a hold in a cell: passed, failed or not run, or the reason why it cannot happen there. */
type Cell = "✓" | "✗" | { readonly why: string };

export const isFileHold = (hold: DialectHold | FileHold): hold is FileHold => "file" in hold;
const isDialectHold = (hold: DialectHold | FileHold): hold is DialectHold => !isFileHold(hold);

const signs = "✓ held by a passed test   – cannot happen there, reasons below   ✗ neither   ? test to be confirmed";
const indent = " ".repeat(5);
const numberOf = (index: number): string => String(index + 1).padStart(2, "0");

/** Makes the table of kinds, provider APIs and forms. */
export function toKindTable(
  sections: Readonly<Record<string, readonly Kind[]>>,
  dialects: readonly Dialect[],
  tests: readonly TestRun[],
): KindTable {
  const passed = new Set(tests.filter(({ status }) => status === "passed").map(keyOf));
  const problems: string[] = [];
  const unconfirmed: string[] = [];
  /** For each reason, the cells that have it. */
  const reasons = new Map<string, Set<string>>();
  const lines = [
    "Columns, each streamed and whole:",
    ...dialects.map((dialect, index) => `${indent}${numberOf(index)} ${titleOf(dialect)}`),
    signs,
  ];
  let number = 0;

  for (const [section, kinds] of Object.entries(sections)) {
    lines.push("", section, indent + dialects.map((_, index) => numberOf(index)).join(" "));
    for (const { sentence, holds } of kinds) {
      number++;
      lines.push(`${String(number).padStart(3)}  ${sentence}`);
      const ofDialects = holds.filter(isDialectHold);
      if (ofDialects.length > 0) lines.push(indent + dialects.map((each) => toCells(each, ofDialects)).join(" "));
      lines.push(...holds.filter(isFileHold).map(toLine));
    }
  }

  function toCells(dialect: Dialect, holds: readonly DialectHold[]): string {
    return forms.map((form) => toCell(dialect, form, holds)).join("");
  }

  function toCell(dialect: Dialect, form: Form, holds: readonly DialectHold[]): string {
    const cells = holds.map((hold) => cellOf(dialect, form, hold, passed));
    const missing = holds.filter((_, index) => cells[index] === "✗");
    problems.push(...missing.map((hold) => `${number}: ${titleOf(dialect)}, ${form}: ${textOf(hold)}`));
    if (missing.length > 0) return "✗";
    if (cells.includes("✓")) return "✓";
    for (const cell of cells) {
      if (typeof cell === "string") continue;
      const reason = `${number}: ${cell.why}`;
      reasons.set(reason, (reasons.get(reason) ?? new Set()).add(`${titleOf(dialect)} ${form}`));
    }
    return "–";
  }

  function toLine({ file, test, unconfirmed: isOpen }: FileHold): string {
    const found = tests.filter((run) => run.file === file && test.test(run.title));
    const holds = found.length > 0 && found.every(({ status }) => status === "passed");
    if (isOpen) unconfirmed.push(`${number}: ${file}: ${test.source}`);
    else if (!holds) problems.push(`${number}: ${file}: ${test.source}`);
    return `${indent}${isOpen ? "?" : holds ? "✓" : "✗"}  ${file}: ${found[0]?.title ?? test.source}`;
  }

  const why = [...reasons].map(([reason, cells]) => `  ${reason} (${[...cells].join(", ")})`);
  return { text: [...lines, "", "Reasons", ...why].join("\n"), problems, unconfirmed };
}

function keyOf({ ancestorTitles: [heading = ""], title }: TestRun): string {
  return `${heading}\n${title}`;
}

const textOf = (hold: DialectHold): string => ("reads" in hold ? `reads ${hold.reads}` : hold.test);

function cellOf(dialect: Dialect, form: Form, hold: DialectHold, passed: ReadonlySet<string>): Cell {
  if (form === "whole" && !isApplicable(dialect.whole)) return dialect.whole;
  if ("reads" in hold) {
    const wire = wireOf(dialect, form, hold.reads);
    if (!isBytes(wire)) return wire;
    return passed.has(`${headingOf(dialect)}\n${resultOf(hold.reads, form)}`) ? "✓" : "✗";
  }
  const why = hold.why?.(dialect) ?? (form === "whole" ? hold.onlyStreamed : undefined);
  if (why !== undefined) return { why };
  const fill = (text: string) => text.replace("{form}", form).replace("{title}", titleOf(dialect));
  const heading = hold.under === undefined ? headingOf(dialect) : fill(hold.under);
  return passed.has(`${heading}\n${fill(hold.test)}`) ? "✓" : "✗";
}

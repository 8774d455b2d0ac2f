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
  /** Cells with neither a passed test nor a reason, and tests of files that did not pass or do not exist. */
  readonly problems: readonly string[];
}

/** What is known of a kind at a provider API in one form: a passed test, no test, or why it cannot happen there. */
type Finding = "held" | "missing" | { readonly why: string };

export const isFileHold = (hold: DialectHold | FileHold): hold is FileHold => "file" in hold;
const isDialectHold = (hold: DialectHold | FileHold): hold is DialectHold => !isFileHold(hold);

const legend = [
  "✓ held by passed tests in each form, streamed and whole   – cannot happen there   ✗ neither",
  "· held by tests of files, at the end   number: reason below; after ✓, why the other form cannot have it",
  "whole: the API's adapter can also request whole responses; otherwise its cells are about streams only",
];
const width = 4;
const shortened = (title: string): string => (title.length > 90 ? `${title.slice(0, 89)}…` : title);
const toCells = (signs: readonly string[]): string => signs.map((sign) => sign.padEnd(width)).join("");

/** Makes the table of kinds (down) and provider APIs (across), with the reasons and the tests of files below it. */
export function toKindTable(
  sections: Readonly<Record<string, readonly Kind[]>>,
  dialects: readonly Dialect[],
  tests: readonly TestRun[],
): KindTable {
  const passed = new Set(tests.filter(({ status }) => status === "passed").map(keyOf));
  const problems: string[] = [];
  const reasons: string[] = [];
  const totals = { kinds: 0, held: 0, why: 0, files: 0 };
  const ofFiles: string[] = [];

  function numberOf(why: string): number {
    if (!reasons.includes(why)) reasons.push(why);
    return reasons.indexOf(why) + 1;
  }

  function toSign(dialect: Dialect, kind: number, holds: readonly DialectHold[]): string {
    const found = forms.map((form) => findingOf(dialect, form, holds, passed));
    const bad = forms.filter((_, index) => found[index]?.finding === "missing");
    for (const form of bad) {
      const lacking = found[forms.indexOf(form)]?.lacking ?? [];
      problems.push(...lacking.map((test) => `${kind}: ${titleOf(dialect)}, ${form}: ${test}`));
    }
    const held = found.filter(({ finding }) => finding === "held").length;
    totals.held += held;
    totals.why += found.length - held - bad.length;
    if (bad.length > 0) return "✗";
    const why = found.flatMap(({ finding }) => (typeof finding === "object" ? [finding.why] : []));
    // The row `whole` has the reason of an API without whole responses.
    const [first] = held > 0 && !isApplicable(dialect.whole) ? [] : why;
    return `${held > 0 ? "✓" : "–"}${first === undefined ? "" : numberOf(first)}`;
  }

  function toLine({ file, test }: FileHold, kind: number): string {
    const found = tests.filter((run) => run.file === file && test.test(run.title));
    const hasPassed = found.length > 0 && found.every(({ status }) => status === "passed");
    if (!hasPassed) problems.push(`${kind}: ${file}: ${test.source}`);
    totals.files += found.length;
    const others = found.length > 1 ? ` (and ${found.length - 1} more)` : "";
    return `     ${hasPassed ? "✓" : "✗"} ${file}: ${shortened(found[0]?.title ?? test.source)}${others}`;
  }

  const wholes = dialects.map(({ whole }) => (isApplicable(whole) ? "✓" : `–${numberOf(whole.why)}`));
  const letters = dialects.map((_, index) => letterOf(index));
  const lines = [`     ${toCells(letters).trimEnd()}`, `     ${toCells(wholes)}whole`];
  for (const [section, kinds] of Object.entries(sections)) {
    lines.push("", `     ${toCells(letters)}${section}`);
    for (const { sentence, holds } of kinds) {
      const kind = ++totals.kinds;
      const label = `${String(kind).padStart(3)}  `;
      const inDialects = holds.filter(isDialectHold);
      const inFiles = holds.filter(isFileHold);
      const signs = dialects.map((each) => (inDialects.length > 0 ? toSign(each, kind, inDialects) : "·"));
      lines.push(`${label}${toCells(signs)}${sentence}`);
      if (inFiles.length > 0) ofFiles.push(`${label}${sentence}`, ...inFiles.map((hold) => toLine(hold, kind)));
    }
  }

  const text = [
    ...lines,
    "",
    ...legend,
    "",
    ...dialects.map((dialect, index) => `  ${letterOf(index)}  ${titleOf(dialect)}`),
    "",
    "Reasons",
    ...reasons.map((why, index) => ` ${String(index + 1).padStart(2)}  ${why}`),
    "",
    "Tests of files",
    ...ofFiles,
    "",
    `${totals.kinds} kinds, ${dialects.length} provider APIs; cells in two forms: ${totals.held} held by passed tests, ` +
      `${totals.why} with one of ${reasons.length} reasons; ${totals.files} tests of files; ${problems.length} missing`,
  ].join("\n");
  return { text, problems };
}

/** Returns the name of a column: A to Z, then AA. */
function letterOf(index: number): string {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : letterOf(Math.floor(index / 26) - 1) + last;
}

function keyOf({ ancestorTitles: [heading = ""], title }: TestRun): string {
  return `${heading}\n${title}`;
}

/** Returns what the tests together tell of a cell. One that is not passed is missing, whatever the others are. */
function findingOf(dialect: Dialect, form: Form, holds: readonly DialectHold[], passed: ReadonlySet<string>) {
  const findings = holds.map((hold) => findingOfOne(dialect, form, hold, passed));
  const lacking = holds.filter((_, index) => findings[index] === "missing").map(nameOf);
  const finding = lacking.length > 0 ? "missing" : (findings.find((one) => one === "held") ?? findings[0] ?? "missing");
  return { finding, lacking };
}

const nameOf = (hold: DialectHold): string => ("reads" in hold ? `reads ${hold.reads}` : hold.test);

function findingOfOne(dialect: Dialect, form: Form, hold: DialectHold, passed: ReadonlySet<string>): Finding {
  if (form === "whole" && !isApplicable(dialect.whole)) return dialect.whole;
  if ("reads" in hold) {
    const wire = wireOf(dialect, form, hold.reads);
    if (!isBytes(wire)) return wire;
    return passed.has(`${headingOf(dialect)}\n${resultOf(hold.reads, form)}`) ? "held" : "missing";
  }
  const why = hold.why?.(dialect) ?? (form === "whole" ? hold.onlyStreamed : undefined);
  if (why !== undefined) return { why };
  const places = { form, title: titleOf(dialect), heading: headingOf(dialect) };
  const fill = (text: string) =>
    Object.entries(places).reduce((filled, [name, value]) => filled.replace(`{${name}}`, () => value), text);
  const heading = fill(hold.under ?? "{heading}");
  return passed.has(`${heading}\n${fill(hold.test)}`) ? "held" : "missing";
}

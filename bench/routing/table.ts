import type { Scenario } from "./scenarios.ts";
import type { Percentiles, Row } from "./tally.ts";

function milliseconds({ p50, p95, p99 }: Percentiles): string {
  return Number.isNaN(p50) ? "-" : [p50, p95, p99].map(Math.round).join("/");
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}

function shares(row: Row): string {
  const lists = Object.entries(row.shares).map(
    ([name, quarters]) => `${name} ${quarters.map((share) => Math.round(share * 100)).join(" ")}`,
  );
  return lists.length < 2 ? "" : lists.join(", ");
}

/** Notes on what only some rows have: wrong responses, early use of limited keys, attempts that outlive callers. */
function notes({ left, wrongKinds, abortedAfterMs, neverAborted, earlyAttempts, saved, extraAttempts }: Row): string {
  const parts = Object.entries(wrongKinds).map(([kind, count]) => `${count} × ${kind}`);
  if (saved > 0) parts.push(`${(extraAttempts / saved).toFixed(2)} extra per saved`);
  if (earlyAttempts > 0) parts.push(`${earlyAttempts} too early at a limited key`);
  if (left > 0 && !Number.isNaN(abortedAfterMs.p50)) {
    parts.push(`upstream ended +${Math.round(abortedAfterMs.p50)}, at most +${Math.round(abortedAfterMs.max)} ms`);
  }
  if (neverAborted > 0) parts.push(`${neverAborted} upstream requests never ended`);
  return parts.join("; ");
}

const columns: readonly (readonly [title: string, cell: (row: Row) => string])[] = [
  ["mode", ({ mode }) => mode],
  ["system", ({ system }) => system],
  ["calls", ({ calls }) => String(calls)],
  ["complete", ({ complete, calls }) => percent(complete / calls)],
  ["looked whole", ({ looksWhole }) => String(looksWhole)],
  ["errors", ({ errors }) => String(errors)],
  ["left", ({ left }) => String(left)],
  ["first p50/95/99", ({ firstMs }) => milliseconds(firstMs)],
  ["total p50/95/99", ({ totalMs }) => milliseconds(totalMs)],
  ["extra", ({ extraAttempts }) => String(extraAttempts)],
  ["useless", ({ uselessAttempts }) => String(uselessAttempts)],
  ["wasted tokens", ({ wastedTokens, tokens }) => `${wastedTokens} of ${tokens}`],
  ["share by quarter, %", shares],
  ["notes", notes],
];

export const legend = [
  "complete: the whole and exact response. looked whole: no error, and not the response, as OpenAI's library shows it.",
  "left: the caller gave up at its deadline, or left as the scenario says. Times in ms, of complete calls.",
  "extra: attempts beyond the first one of a call. useless: those that started after the caller had the end of its call.",
  "wasted tokens: tokens that upstreams wrote and that are in no complete response.",
].join("\n");

/** Formats the rows of one scenario. */
export function formatScenario({ name, title }: Scenario, rows: readonly Row[]): string {
  const used = columns.filter(([, cell]) => rows.some((row) => cell(row) !== ""));
  const lines = [used.map(([column]) => column), ...rows.map((row) => used.map(([, cell]) => cell(row)))];
  const widths = used.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [`${name}: ${title}`, ...text, ""].join("\n");
}

import type { NamedClaim } from "./claims.ts";
import type { Left } from "./limit-store.ts";

export type Header = readonly [name: string, value: string];

/** Header with the nanodollars that are left of the smallest budget. */
const budgetHeader = "dragoman-budget-remaining-nanos";

/**
 * Returns the headers that tell what is left of limits, in OpenAI's names and spelling of values. Of several limits of a
 * kind, such as of a key and its account, they tell the one with the least left. Shadow limits have none.
 */
export function limitHeaders(claims: readonly NamedClaim[], left: readonly Left[]): readonly Header[] {
  const headers: Header[] = [];
  for (const kind of ["requests", "tokens"] as const) {
    const index = tightest(claims, left, kind);
    const [claim, rest] = [claims[index], left[index]];
    if (claim === undefined || rest === undefined) continue;
    headers.push(
      [`x-ratelimit-limit-${kind}`, String(claim.limit)],
      [`x-ratelimit-remaining-${kind}`, String(Math.max(0, rest.remaining))],
      [`x-ratelimit-reset-${kind}`, formatReset(rest.resetMs)],
    );
  }
  const budget = left[tightest(claims, left, "budget")];
  if (budget !== undefined) headers.push([budgetHeader, String(Math.max(0, budget.remaining))]);
  return headers;
}

function tightest(claims: readonly NamedClaim[], left: readonly Left[], kind: NamedClaim["kind"]): number {
  let found = -1;
  claims.forEach((claim, index) => {
    if (claim.kind !== kind || claim.shadow) return;
    const isLess = found === -1 || (left[index]?.remaining ?? 0) < (left[found]?.remaining ?? 0);
    if (isLess) found = index;
  });
  return found;
}

/** Formats a time as OpenAI does: `20ms`, `1s`, `6m0s`, `1h2m3s`. */
export function formatReset(ms: number): string {
  if (ms > 0 && ms < 1000) return `${ms}ms`;
  const seconds = Math.ceil(ms / 1000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${rest}s`;
}

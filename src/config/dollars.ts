import { largestBudgetNanos } from "./account.ts";

const decimals = 9;

/** Parses US dollars with at most nine decimals, such as `100.00`. Returns nanodollars; undefined for anything else. */
export function parseDollars(value: unknown): number | undefined {
  const text = typeof value === "number" ? String(value) : value;
  const [, whole = "", fraction = ""] = (typeof text === "string" && /^(\d{1,7})(?:\.(\d{1,9}))?$/.exec(text)) || [];
  if (whole === "") return undefined;
  const nanos = Number(whole + fraction.padEnd(decimals, "0"));
  return nanos <= largestBudgetNanos ? nanos : undefined;
}

/** Formats nanodollars as US dollars with at least two decimals, such as `100.00`: `parseDollars` accepts the text. */
export function formatDollars(nanos: number): string {
  const digits = String(nanos).padStart(decimals + 1, "0");
  const fraction = digits.slice(-decimals).replace(/0+$/, "").padEnd(2, "0");
  return `${digits.slice(0, -decimals)}.${fraction}`;
}

const grouping = new Intl.NumberFormat("en-US");

/** Formats a count with thousands separators: `12,345,678`. */
export function formatCount(count: bigint): string {
  return grouping.format(count);
}

const units = [
  { unit: "T", one: 1_000_000_000_000n },
  { unit: "B", one: 1_000_000_000n },
  { unit: "M", one: 1_000_000n },
  { unit: "k", one: 1_000n },
];

/** Formats a count of 10,000 or more with a unit and three digits: `12.3M`. */
export function formatShort(count: bigint): string {
  if (count < 10_000n) return formatCount(count);
  // A count that rounds up to the next unit has that unit.
  const { unit, one } = units.find((candidate) => count * 2_000n >= candidate.one * 1_999n) ?? { unit: "", one: 1n };
  const rounded = (digits: number) => divide(count * 10n ** BigInt(digits), one);
  const digits = [2, 1].find((candidate) => rounded(candidate) < 1_000n) ?? 0;
  return `${decimal(rounded(digits), digits)}${unit}`;
}

const nanosPerDollar = 1_000_000_000n;

/** Formats nanodollars as dollars, without loss: `1234.50`, `0.000012`. */
export function exactDollars(nanos: bigint): string {
  const fraction = String(nanos % nanosPerDollar).padStart(9, "0");
  return `${nanos / nanosPerDollar}.${fraction.replace(/0{1,7}$/, "")}`;
}

/**
 * Formats a column of nanodollars as dollars: with two, four or six digits, so that no amount looks like zero. An amount
 * that is too small even for six digits is `<$0.000001`.
 */
export function formatDollars(amounts: readonly bigint[]): readonly string[] {
  const smallest = amounts.filter((nanos) => nanos > 0n).reduce((a, b) => (a < b ? a : b), nanosPerDollar);
  const scaleOf = (digits: number) => 10n ** BigInt(digits);
  const digits = [2, 4].find((count) => smallest * scaleOf(count) >= nanosPerDollar) ?? 6;
  return amounts.map((nanos) => {
    const rounded = divide(nanos * scaleOf(digits), nanosPerDollar);
    return nanos > 0n && rounded === 0n ? `<$${decimal(1n, digits)}` : `$${decimal(rounded, digits)}`;
  });
}

/** Divides and rounds half up. */
function divide(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor);
}

/** Formats a whole number of units of 10^-digits. */
function decimal(value: bigint, digits: number): string {
  if (digits === 0) return formatCount(value);
  const scale = 10n ** BigInt(digits);
  return `${formatCount(value / scale)}.${String(value % scale).padStart(digits, "0")}`;
}

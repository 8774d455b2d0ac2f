/**
 * Amounts are whole picodollars (US dollars times 10^-12). One picodollar per token is one microdollar per million
 * tokens, so that a price of a token with at most this number of decimals per million tokens is a whole number.
 */
export const priceDecimals = 6;

/** Highest price that the configuration accepts, in US dollars per million tokens. The highest known one is 600. */
export const highestPrice = 1_000_000;

/** What is wrong with the text of a price. */
export type PriceMistake = "form" | "exponent" | "negative" | "decimals" | "high";

/** Parses US dollars per million tokens, such as `2.50`. Returns picodollars per token, or what is wrong. */
export function parsePrice(text: string): bigint | PriceMistake {
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?(e[+-]?\d+)?$/i.exec(text.trim());
  const [, sign, whole = "", fraction = "", exponent] = parts ?? [];
  const hasDigits = whole !== "" || fraction !== "";
  if (sign === "-" && hasDigits) return "negative";
  if (exponent !== undefined && hasDigits) return "exponent";
  if (parts === null || sign !== "" || whole === "" || /\.$/.test(text.trim())) return "form";
  const significant = fraction.replace(/0+$/, "");
  if (significant.length > priceDecimals) return "decimals";
  const digits = whole.replace(/^0+(?=\d)/, "");
  // Checked before the conversion, which is slow for very long texts.
  if (digits.length > String(highestPrice).length) return "high";
  const picos = BigInt(digits + significant.padEnd(priceDecimals, "0"));
  return picos > BigInt(highestPrice) * 10n ** BigInt(priceDecimals) ? "high" : picos;
}

/** Formats picodollars per token as US dollars per million tokens, with at least two decimals: `2.50`, `0.003625`. */
export function formatPrice(picos: bigint): string {
  const digits = String(picos).padStart(priceDecimals + 1, "0");
  const fraction = digits.slice(-priceDecimals).replace(/0+$/, "").padEnd(2, "0");
  return `${digits.slice(0, -priceDecimals)}.${fraction}`;
}

/** Picodollars in a nanodollar. */
const picosPerNano = 1000n;

/** Converts nanodollars to picodollars. */
export function picosOf(nanos: bigint): bigint {
  return nanos * picosPerNano;
}

/** Rounds picodollars to nanodollars, half up. */
export function nanosOf(picos: bigint): bigint {
  return (picos + picosPerNano / 2n) / picosPerNano;
}

// TypeScript does not declare these yet. ECMAScript proposal "JSON.parse source text access", stage 4.
declare global {
  interface JSON {
    isRawJSON(value: unknown): boolean;
  }
}

/** Integer beyond 2^53, which `JSON.stringify` writes with all of its digits. */
export const isLargeInteger = (value: unknown): boolean => JSON.isRawJSON(value);

/** Parses JSON. Integers beyond 2^53 become objects for which `isLargeInteger` is true. */
export function parseWithLargeIntegers(json: string): unknown {
  // Without such digits, parse without the reviver, which is slow.
  return /\d{16}/.test(json) ? JSON.parse(json, large) : JSON.parse(json);
}

function large(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  const isLarge = typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? "");
  return isLarge && source !== undefined ? JSON.rawJSON(source) : value;
}

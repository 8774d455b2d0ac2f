import { validateHeaderName, validateHeaderValue } from "node:http";
import { leaf } from "./rules.ts";

function parseHeaders(value: unknown): Readonly<Record<string, string>> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const headers = new Map<string, string>();
  try {
    for (const [name, content] of Object.entries(value)) {
      if (typeof content !== "string" || headers.has(name.toLowerCase())) return undefined;
      validateHeaderName(name);
      validateHeaderValue(name, content);
      headers.set(name.toLowerCase(), content);
    }
  } catch {
    return undefined;
  }
  return Object.fromEntries(headers);
}

/** Headers of requests that Dragoman sends. The names become lower case. */
export const headers = leaf({
  parse: parseHeaders,
  problem: "is not a mapping of unique header names to valid header values",
  fix: "write `name: value`; quote values that look like numbers",
  forms: [{ type: "object", additionalProperties: { type: "string" } }],
});

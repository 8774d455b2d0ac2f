import { hash } from "node:crypto";
import type { ApiKey } from "./config.ts";
import type { ReportProblem } from "./config-error.ts";
import type { Environment } from "./environment.ts";

export const keysVariable = "DRAGOMAN_API_KEYS";

/**
 * Reads the API keys of the variable DRAGOMAN_API_KEYS: a list with commas of keys, or of `sha256:` with the 64
 * hexadecimal digits that `dragoman --hash-key` prints. They have the ids `env-1`, `env-2`, … and the role `caller`, and
 * may use any account and model.
 */
export function readKeysVariable(environment: Environment, report: ReportProblem): readonly ApiKey[] {
  const text = environment[keysVariable] ?? "";
  if (text.trim() === "") return [];
  return text.split(",").flatMap((item, index): ApiKey[] => {
    const sha256 = digestOf(item.trim());
    if (sha256 !== undefined) {
      return [{ id: `env-${index + 1}`, sha256, accounts: [], defaultAccount: undefined, role: "caller" }];
    }
    const fix =
      "write keys, or `sha256:` and the 64 digits that `dragoman --hash-key` prints, with commas between them";
    report(keysVariable, `entry ${index + 1} is empty, or has spaces or non-ASCII characters, or an invalid hash`, fix);
    return [];
  });
}

/** Whether a key is one of the variable. */
export function isOfVariable({ id }: Pick<ApiKey, "id">): boolean {
  return /^env-\d+$/.test(id);
}

/** Returns the SHA-256 of a key, or the one that is written. Undefined: it is neither. */
function digestOf(item: string): Buffer | undefined {
  if (item.startsWith("sha256:")) {
    const [, digits] = /^sha256:([0-9a-f]{64})$/i.exec(item) ?? [];
    return digits === undefined ? undefined : Buffer.from(digits, "hex");
  }
  // A caller could not send a key with other characters in a header.
  return /^[\x21-\x7e]+$/.test(item) ? hash("sha256", item, "buffer") : undefined;
}

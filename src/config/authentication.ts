import { type Address, formatAddress, isLoopback } from "./address.ts";
import type { ApiKey, Config } from "./config.ts";
import type { ReportProblem } from "./config-error.ts";
import type { FileSection } from "./schema.ts";
import { suggest } from "./suggest.ts";

type Authentication = Config["authentication"];

/** Determines the authentication mode. Reports duplicate keys and default accounts that no call could use. */
export function resolveAuthentication(
  { mode, keys: entries, require_account: requireAccount }: FileSection["authentication"],
  modeVariable: Authentication["mode"] | undefined,
  report: ReportProblem,
): Authentication {
  const keys = entries.map(({ default_account: defaultAccount, ...key }) => ({ ...key, defaultAccount }));
  reportDuplicates(keys, "id", ({ id }) => id, report);
  reportDuplicates(keys, "sha256", ({ sha256 }) => sha256.toString("hex"), report);
  for (const [index, { accounts, defaultAccount }] of keys.entries()) {
    const path = `authentication.keys[${index}].default_account`;
    if (defaultAccount === undefined) continue;
    if (requireAccount) report(path, "is never used, since require_account is true", "remove one of them");
    if (accounts.length > 0 && !accounts.includes(defaultAccount)) {
      report(path, "is not one of the key's accounts", suggest(defaultAccount, accounts));
    }
  }
  const chosen = modeVariable ?? mode;
  if (chosen === "keys" && keys.length === 0) {
    report(
      "authentication.keys",
      "is empty, so every call would be rejected",
      "add a key; `dragoman --hash-key` hashes it",
    );
  }
  return { mode: chosen ?? (keys.length > 0 ? "keys" : "loopback"), keys, requireAccount };
}

/** Reports an address that other machines can reach, if the mode is `loopback`. */
export function reportExposure(
  mode: Authentication["mode"],
  path: string,
  address: Address,
  report: ReportProblem,
): void {
  if (mode !== "loopback" || isLoopback(address.host)) return;
  report(
    path,
    `${formatAddress(address)} can be reached from other machines, and callers need no key`,
    "add authentication.keys, or listen on 127.0.0.1, or turn authentication off with `authentication.mode: off`",
  );
}

function reportDuplicates(
  keys: readonly ApiKey[],
  name: "id" | "sha256",
  textOf: (key: ApiKey) => string,
  report: ReportProblem,
): void {
  const seen = new Map<string, number>();
  for (const [index, key] of keys.entries()) {
    const first = seen.get(textOf(key));
    if (first === undefined) seen.set(textOf(key), index);
    else
      report(
        `authentication.keys[${index}].${name}`,
        `is already used by keys[${first}]`,
        `give each key a unique ${name}`,
      );
  }
}

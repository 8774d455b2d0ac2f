import { reportShared, toKeySettings } from "./accounts.ts";
import { type Address, formatAddress, isLoopback } from "./address.ts";
import { keysVariable } from "./api-keys-variable.ts";
import type { ApiKey, Config } from "./config.ts";
import type { ReportProblem } from "./config-error.ts";
import type { FileSection } from "./schema.ts";
import { suggest } from "./suggest.ts";

type Authentication = Config["authentication"];

/**
 * Determines the authentication mode. Reports duplicate keys and default accounts that no call could use. Mode `keys`
 * needs no key in the configuration, since those of the database count too.
 *
 * @param variable keys of DRAGOMAN_API_KEYS
 */
export function resolveAuthentication(
  { mode, keys: entries, require_account: requireAccount }: FileSection["authentication"],
  modeVariable: Authentication["mode"] | undefined,
  variable: readonly ApiKey[],
  report: ReportProblem,
): Authentication {
  const listed = entries.map((entry, index): ApiKey => {
    reportShared(entry, `authentication.keys[${index}]`, report);
    return { id: entry.id, sha256: entry.sha256, ...toKeySettings(entry) };
  });
  const keys = [...listed, ...variable];
  reportDuplicates(keys, listed.length, "id", ({ id }) => id, report);
  reportDuplicates(keys, listed.length, "sha256", ({ sha256 }) => sha256.toString("hex"), report);
  for (const [index, { accounts, defaultAccount }] of listed.entries()) {
    const path = `authentication.keys[${index}].default_account`;
    if (defaultAccount === undefined) continue;
    if (requireAccount) report(path, "is never used, since require_account is true", "remove one of them");
    if (accounts.length > 0 && !accounts.includes(defaultAccount)) {
      report(path, "is not one of the key's accounts", suggest(defaultAccount, accounts));
    }
  }
  const chosen = modeVariable ?? mode;
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
  listed: number,
  name: "id" | "sha256",
  textOf: (key: ApiKey) => string,
  report: ReportProblem,
): void {
  const seen = new Map<string, number>();
  const place = (index: number) => (index < listed ? `keys[${index}]` : `key ${index - listed + 1} of ${keysVariable}`);
  for (const [index, key] of keys.entries()) {
    const first = seen.get(textOf(key));
    if (first === undefined) seen.set(textOf(key), index);
    else if (index < listed) {
      report(
        `authentication.${place(index)}.${name}`,
        `is already used by ${place(first)}`,
        `give each key a unique ${name}`,
      );
    } else {
      const what = name === "id" ? `has the id ${key.id}, which ${place(first)} has` : `is the same as ${place(first)}`;
      report(keysVariable, `${place(index)} ${what}`, "rename or remove one of them");
    }
  }
}

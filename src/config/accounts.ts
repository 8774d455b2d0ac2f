import type { AccountSettings, Budget, KeySettings, Limits } from "./account.ts";
import type { AccountSection, BudgetSection, KeySection, LimitsSection } from "./account-schema.ts";
import type { ReportProblem } from "./config-error.ts";
import { formatDollars } from "./dollars.ts";

/** Most budgets and patterns of an account or a key, as the admin services have them. */
const mostBudgets = 16;
const mostPatterns = 256;

type SharedSection = Pick<KeySection, "models" | "expires" | "limits" | "budgets">;

/** Reports mistakes in what keys and accounts have in common. `path`: that of the key or account. */
export function reportShared({ models, budgets }: SharedSection, path: string, report: ReportProblem): void {
  if (models.length === 0) {
    report(`${path}.models`, "is empty, so it is unclear whether it means all models or none", 'write ["*"] for all');
  }
  if (models.length > mostPatterns) {
    report(`${path}.models`, `has more than ${mostPatterns} patterns`, "join some with `*`, such as `openai/*`");
  }
  if (budgets.length > mostBudgets) report(`${path}.budgets`, `has more than ${mostBudgets} budgets`, "remove some");
}

function toShared({ models, expires, limits, budgets }: SharedSection) {
  return { models, expiresMs: expires, limits: limits && toLimits(limits), budgets: budgets.map(toBudget) };
}

/** Returns the settings of a key as an entry of `authentication.keys` has them. */
export function toKeySettings(section: Omit<KeySection, "id" | "sha256">): Omit<KeySettings, "id"> {
  const { accounts, default_account: defaultAccount, role } = section;
  return { accounts, defaultAccount, role, ...toShared(section) };
}

/** Returns the settings of an account as an entry of `accounts` has them. */
export function toAccountSettings(id: string, section: AccountSection): AccountSettings {
  const { display_name: displayName = "", on_store_loss: onStoreLoss } = section;
  return { id, displayName, ...toShared(section), onStoreLoss };
}

function toLimits(limits: LimitsSection): Limits {
  return {
    requestsPerMinute: limits.requests_per_minute,
    tokensPerMinute: limits.tokens_per_minute,
    concurrentCalls: limits.concurrent_calls,
    shadow: limits.shadow,
  };
}

function toBudget({ amount_usd, time_zone, warn_at, ...rest }: BudgetSection): Budget {
  return { amountNanos: amount_usd, timeZone: time_zone, warnAt: warn_at, ...rest };
}

/** Resolves the section `accounts`. Returns the accounts ordered by id. */
export function resolveAccounts(
  section: Readonly<Record<string, AccountSection>>,
  report: ReportProblem,
): readonly AccountSettings[] {
  return Object.entries(section)
    .map(([id, entry]): AccountSettings => {
      const path = `accounts.${id}`;
      if (!/^[^\p{C}]{1,256}$/u.test(id)) report(path, "is not the id of an account", "write 1 to 256 characters");
      reportShared(entry, path, report);
      return toAccountSettings(id, entry);
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Describes the section `accounts`, as the file has it. */
export function describeAccounts(accounts: readonly AccountSettings[]) {
  return Object.fromEntries(accounts.map((account) => [account.id, describeAccount(account)]));
}

/** Describes an entry of `accounts`. `toAccountSettings` reads it back. */
export function describeAccount({ displayName, onStoreLoss, ...rest }: AccountSettings) {
  return { display_name: displayName || undefined, ...describeShared(rest), on_store_loss: onStoreLoss };
}

/** Describes what an entry of `authentication.keys` has beside its id and hash. `toKeySettings` reads it back. */
export function describeKey({ accounts, defaultAccount, role, ...rest }: Omit<KeySettings, "id">) {
  return { accounts, default_account: defaultAccount, role, ...describeShared(rest) };
}

function describeShared({
  models,
  expiresMs,
  limits,
  budgets = [],
}: Pick<KeySettings, "models" | "expiresMs" | "limits" | "budgets">) {
  return {
    models,
    expires: expiresMs === undefined ? undefined : new Date(expiresMs).toISOString(),
    limits: limits && {
      requests_per_minute: limits.requestsPerMinute,
      tokens_per_minute: limits.tokensPerMinute,
      concurrent_calls: limits.concurrentCalls,
      shadow: limits.shadow,
    },
    budgets:
      budgets.length === 0
        ? undefined
        : budgets.map(({ amountNanos, timeZone, warnAt, ...rest }) => ({
            amount_usd: formatDollars(amountNanos),
            time_zone: timeZone,
            warn_at: warnAt,
            ...rest,
          })),
  };
}

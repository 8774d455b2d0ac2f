import { z } from "zod";
import { budgetPeriods, largestBudgetNanos, largestLimits, storeLossPolicies } from "./account.ts";
import { parseDollars } from "./dollars.ts";
import { decimalForms, matching, wholeNumberForms } from "./json-forms.ts";
import { choice, flag, leaf, section, share, text } from "./rules.ts";
import { isTimeZone, parseTime } from "./times.ts";

/** Schema of a whole number from 0, which can be larger than those of `wholeNumber`. */
const limit = (largest: number) =>
  leaf({
    parse: (value) => {
      const number = typeof value === "string" && /^\d{1,13}$/.test(value) ? Number(value) : value;
      return Number.isSafeInteger(number) && Number(number) >= 0 && Number(number) <= largest
        ? Number(number)
        : undefined;
    },
    problem: `is not a whole number from 0 to ${largest}`,
    fix: "write a number; 0 allows none, and without the key there is no limit",
    forms: wholeNumberForms(0, largest),
    shown: true,
  });

const limits = section({
  requests_per_minute: limit(largestLimits.requestsPerMinute).optional(),
  tokens_per_minute: limit(largestLimits.tokensPerMinute).optional(),
  concurrent_calls: limit(largestLimits.concurrentCalls).optional(),
  shadow: flag.prefault(false),
});
export type LimitsSection = z.output<typeof limits>;

const budget = section({
  amount_usd: leaf({
    parse: parseDollars,
    problem: "is not an amount of US dollars",
    fix: 'write a quoted decimal number such as "100.00", with at most 9 decimals, up to 9000000',
    forms: decimalForms({ minimum: 0, maximum: largestBudgetNanos / 1e9 }),
    shown: true,
  }),
  period: choice(...budgetPeriods),
  time_zone: leaf({
    parse: (value) => (typeof value === "string" && isTimeZone(value) ? value : undefined),
    problem: "is not a time zone",
    fix: "write a name of the IANA database, such as UTC or Europe/Berlin",
    forms: [matching("^[A-Za-z][A-Za-z0-9_+/-]*$", "UTC", "Europe/Berlin")],
    shown: true,
  }).prefault("UTC"),
  warn_at: share.prefault(0.8),
  shadow: flag.prefault(false),
  unpriced: choice("refuse", "allow").prefault("refuse"),
});
export type BudgetSection = z.output<typeof budget>;

/** Schema of the items that keys and accounts have in common. */
const shared = {
  models: z.array(text).prefault(["*"]),
  expires: leaf({
    parse: parseTime,
    problem: "is not a time",
    fix: "write a date such as 2026-12-31, which ends at its beginning in UTC, or a time such as 2026-12-31T17:00:00Z",
    forms: [matching("^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2}))?$", "2026-12-31")],
    shown: true,
  }).optional(),
  limits: limits.optional(),
  budgets: z.array(budget).prefault([]),
};

/** Schema of an entry of `accounts`. */
export const accountSchema = section({
  display_name: text.optional(),
  ...shared,
  on_store_loss: choice(...storeLossPolicies).prefault("local"),
});
export type AccountSection = z.output<typeof accountSchema>;

const sha256 = leaf({
  parse: (value) =>
    typeof value === "string" && /^[0-9a-f]{64}$/i.test(value) ? Buffer.from(value, "hex") : undefined,
  problem: "is not a SHA-256",
  fix: "write the 64 hexadecimal digits that `dragoman --hash-key` prints",
  forms: [matching("^[0-9a-fA-F]{64}$")],
});

const key = {
  accounts: z.array(text).prefault([]),
  default_account: text.optional(),
  role: choice("caller", "viewer", "admin").prefault("caller"),
  ...shared,
};

/** Schema of an entry of `authentication.keys`. */
export const keySchema = section({ id: text, sha256, ...key });
export type KeySection = z.output<typeof keySchema>;

/** Schema of the settings of a key in the database. */
export const storedKeySchema = section({ display_name: text.optional(), ...key });

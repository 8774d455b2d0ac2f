import { largestBudgetNanos } from "../../config/account.ts";
import { formatDollars } from "../../config/dollars.ts";
import { isTimeZone } from "../../config/times.ts";
import { type FieldViolation, invalidRequest } from "../../errors.ts";
import type { Account } from "../../gen/dragoman/admin/v1/account_pb.js";
import type { Key } from "../../gen/dragoman/admin/v1/key_pb.js";
import { isTime, timeRule, toMs } from "./request-times.ts";

type Report = (field: FieldViolation["field"], description: string) => void;

/** Throws INVALID_REQUEST for what the annotations of a new key cannot express. */
export function requireValidKey(key: Key): void {
  throwViolations("key", (report) => {
    const { accounts, defaultAccount, expireTime } = key;
    if (defaultAccount !== "" && accounts.length > 0 && !accounts.includes(defaultAccount)) {
      report(["default_account"], "must be one of accounts; add it there, or leave it empty");
    }
    if (expireTime !== undefined && isTime(expireTime) && toMs(expireTime) <= Date.now()) {
      report(["expire_time"], "must be in the future; leave it unset for a key that does not expire");
    }
    reportControls(defaultAccount, ["default_account"], report);
    for (const [index, id] of accounts.entries()) reportControls(id, ["accounts", index], report);
    reportShared(key, report);
  });
}

/** Throws INVALID_REQUEST for what the annotations of an account cannot express. */
export function requireValidAccount(account: Account): void {
  throwViolations("account", (report) => {
    reportControls(account.id, ["id"], report);
    reportShared(account, report);
  });
}

function reportShared({ displayName, models, budgets, expireTime }: Key | Account, report: Report): void {
  if (expireTime !== undefined && !isTime(expireTime)) report(["expire_time"], timeRule);
  reportControls(displayName, ["display_name"], report);
  for (const [index, pattern] of models.entries()) reportControls(pattern, ["models", index], report);
  for (const [index, { amountNanos, timeZone }] of budgets.entries()) {
    if (amountNanos > BigInt(largestBudgetNanos)) {
      const most = formatDollars(largestBudgetNanos);
      report(["budgets", index, "amount_nanos"], `must be at most ${largestBudgetNanos}, which is ${most} dollars`);
    }
    if (timeZone !== "" && !isTimeZone(timeZone)) {
      report(["budgets", index, "time_zone"], "must be a name of the IANA database, such as Europe/Berlin");
    }
  }
}

/** PostgreSQL cannot store NUL, and terminals obey other control characters. */
function reportControls(text: string, field: FieldViolation["field"], report: Report): void {
  if (/\p{Cc}/u.test(text)) report(field, "must not have control characters");
}

function throwViolations(root: string, check: (report: Report) => void): void {
  const violations: FieldViolation[] = [];
  check((field, description) => violations.push({ root: "message", field: [root, ...field], description }));
  if (violations.length > 0) throw invalidRequest(violations);
}

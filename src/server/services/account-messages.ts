import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { StoredAccount, StoredKey } from "../../accounts/account-store.ts";
import type { NewKeySettings } from "../../accounts/manage-keys.ts";
import type {
  AccountSettings,
  Budget,
  BudgetPeriod,
  KeySettings,
  Limits,
  Role,
  StoreLossPolicy,
} from "../../config/account.ts";
import {
  type Account,
  AccountSchema,
  StoreLossPolicy as StoreLossValue,
} from "../../gen/dragoman/admin/v1/account_pb.js";
import { ConfigSource, type Key, KeyRole, KeySchema } from "../../gen/dragoman/admin/v1/key_pb.js";
import {
  type Budget as BudgetMessage,
  BudgetPeriod as BudgetPeriodValue,
  BudgetSchema,
  type Limits as LimitsMessage,
  LimitsSchema,
  UnpricedPolicy,
} from "../../gen/dragoman/admin/v1/limits_pb.js";
import { toMs } from "./request-times.ts";

const roles = {
  caller: KeyRole.CALLER,
  viewer: KeyRole.VIEWER,
  admin: KeyRole.ADMIN,
} as const satisfies Record<Role, KeyRole>;

const periods = {
  day: BudgetPeriodValue.DAY,
  week: BudgetPeriodValue.WEEK,
  month: BudgetPeriodValue.MONTH,
  quarter: BudgetPeriodValue.QUARTER,
} as const satisfies Record<BudgetPeriod, BudgetPeriodValue>;

const policies = {
  local: StoreLossValue.LOCAL,
  allow: StoreLossValue.ALLOW,
  deny: StoreLossValue.DENY,
} as const satisfies Record<StoreLossPolicy, StoreLossValue>;

/** Creates the message of a key. It never has a secret. */
export function keyMessage(key: KeySettings | StoredKey): Key {
  return create(KeySchema, {
    id: key.id,
    accounts: [...key.accounts],
    defaultAccount: key.defaultAccount ?? "",
    role: roles[key.role],
    ...sharedFields(key),
    source: ConfigSource.FILE,
    ...("createdMs" in key && storedFields(key)),
  });
}

function storedFields({ displayName, createdMs, revokedMs, secrets }: StoredKey) {
  const formerMs = secrets.find(({ expiresMs = 0 }) => expiresMs > Date.now())?.expiresMs;
  return {
    displayName,
    source: ConfigSource.STORE,
    createTime: timestampFromMs(createdMs),
    ...(revokedMs !== undefined && { revokeTime: timestampFromMs(revokedMs) }),
    ...(formerMs !== undefined && { oldSecretExpireTime: timestampFromMs(formerMs) }),
  };
}

/** Creates the message of an account. */
export function accountMessage(account: AccountSettings | StoredAccount): Account {
  return create(AccountSchema, {
    id: account.id,
    displayName: account.displayName,
    onStoreLoss: policies[account.onStoreLoss],
    ...sharedFields(account),
    source: ConfigSource.FILE,
    ...("createdMs" in account && {
      source: ConfigSource.STORE,
      createTime: timestampFromMs(account.createdMs),
    }),
  });
}

function sharedFields({ models = [], expiresMs, limits, budgets = [] }: KeySettings | AccountSettings) {
  return {
    models: [...models],
    ...(expiresMs !== undefined && { expireTime: timestampFromMs(expiresMs) }),
    ...(limits && { limits: limitsMessage(limits) }),
    budgets: budgets.map(budgetMessage),
  };
}

function limitsMessage({ requestsPerMinute, tokensPerMinute, concurrentCalls, shadow }: Limits): LimitsMessage {
  return create(LimitsSchema, {
    ...(requestsPerMinute !== undefined && { requestsPerMinute: BigInt(requestsPerMinute) }),
    ...(tokensPerMinute !== undefined && { tokensPerMinute: BigInt(tokensPerMinute) }),
    ...(concurrentCalls !== undefined && { concurrentCalls: BigInt(concurrentCalls) }),
    shadow,
  });
}

function budgetMessage({ amountNanos, period, timeZone, warnAt, shadow, unpriced }: Budget): BudgetMessage {
  return create(BudgetSchema, {
    amountNanos: BigInt(amountNanos),
    period: periods[period],
    timeZone,
    warnAt,
    shadow,
    unpriced: unpriced === "allow" ? UnpricedPolicy.ALLOW : UnpricedPolicy.REFUSE,
  });
}

/** Reads the settings of a valid key. */
export function keySettings(key: Key): NewKeySettings {
  return {
    displayName: key.displayName,
    accounts: key.accounts,
    defaultAccount: key.defaultAccount || undefined,
    role: nameOf(roles, key.role) ?? "caller",
    ...sharedSettings(key),
  };
}

/** Reads the settings of a valid account. */
export function accountSettings(account: Account): AccountSettings {
  return {
    id: account.id,
    displayName: account.displayName,
    onStoreLoss: nameOf(policies, account.onStoreLoss) ?? "local",
    ...sharedSettings(account),
  };
}

function sharedSettings({ models, expireTime, limits, budgets }: Key | Account) {
  return {
    models,
    expiresMs: expireTime && toMs(expireTime),
    limits: limits && toLimits(limits),
    budgets: budgets.map(toBudget),
  };
}

function toLimits({ requestsPerMinute, tokensPerMinute, concurrentCalls, shadow }: LimitsMessage): Limits {
  const number = (value: bigint | undefined) => (value === undefined ? undefined : Number(value));
  return {
    requestsPerMinute: number(requestsPerMinute),
    tokensPerMinute: number(tokensPerMinute),
    concurrentCalls: number(concurrentCalls),
    shadow,
  };
}

function toBudget({ amountNanos, period, timeZone, warnAt = 0.8, shadow, unpriced }: BudgetMessage): Budget {
  return {
    amountNanos: Number(amountNanos),
    period: nameOf(periods, period) ?? "month",
    timeZone: timeZone || "UTC",
    warnAt,
    shadow,
    unpriced: unpriced === UnpricedPolicy.ALLOW ? "allow" : "refuse",
  };
}

function nameOf<Name extends string>(values: Readonly<Record<Name, number>>, value: number): Name | undefined {
  const names = Object.keys(values) as Name[];
  return names.find((name) => values[name] === value);
}

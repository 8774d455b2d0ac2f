import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { lastTimeMs } from "../../config/times.ts";
import { type FieldViolation, invalidRequest } from "../../errors.ts";
import { CallOutcome } from "../../gen/dragoman/admin/v1/call_record_pb.js";
import {
  type ListCallsRequest,
  type QueryUsageRequest,
  UsageGroup,
  UsageInterval,
} from "../../gen/dragoman/admin/v1/usage_service_pb.js";
import type { CallsQuery, UsageGroupName, UsageQuery } from "../../ledger/usage-reader.ts";
import { isTime, timeRule, toMs } from "./request-times.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const longestHourlyDays = 400;
/** Beginning of the last hour that has four digits of its year, as the databases compare them. */
const lastHourMs = Math.floor(lastTimeMs / hourMs) * hourMs;

const groupNames: Readonly<Record<UsageGroup, UsageGroupName | undefined>> = {
  [UsageGroup.UNSPECIFIED]: undefined,
  [UsageGroup.ACCOUNT]: "account",
  [UsageGroup.KEY]: "key",
  [UsageGroup.MODEL]: "model",
  [UsageGroup.PROVIDER]: "provider",
  [UsageGroup.ROUTE]: "route",
  [UsageGroup.OUTCOME]: "outcome",
  [UsageGroup.LABEL]: "label",
};

const intervals: Readonly<Record<UsageInterval, UsageQuery["interval"]>> = {
  [UsageInterval.UNSPECIFIED]: "range",
  [UsageInterval.HOUR]: "hour",
  [UsageInterval.DAY]: "day",
  [UsageInterval.MONTH]: "month",
};

/**
 * Translates a valid request of QueryUsage. Throws INVALID_REQUEST for what the annotations cannot express.
 *
 * @param nowMs end of the time range without `end_time`
 */
export function toUsageQuery(request: QueryUsageRequest, nowMs: number): Omit<UsageQuery, "limit" | "after"> {
  const { account, keyId, model, provider, route, labelKey, startTime, endTime } = request;
  const groupBy = request.groupBy.flatMap((group) => groupNames[group] ?? []);
  const interval = intervals[request.interval];
  const startMs = Math.floor(msOf(startTime, 0) / hourMs) * hourMs;
  const endMs = Math.min(Math.ceil(msOf(endTime, nowMs) / hourMs) * hourMs, lastHourMs);
  const isByLabel = groupBy.includes("label");
  requireNone([
    isByLabel && labelKey === "" && violation("label_key", "is required with USAGE_GROUP_LABEL; set it"),
    !isByLabel && labelKey !== "" && violation("label_key", "is only for USAGE_GROUP_LABEL; omit it, or add the group"),
    ...wrongTimes(request, startMs, endMs),
    interval === "hour" &&
      endMs - startMs > longestHourlyDays * dayMs &&
      violation(
        "interval",
        `must not be USAGE_INTERVAL_HOUR for more than ${longestHourlyDays} days; set USAGE_INTERVAL_DAY`,
      ),
  ]);
  const filter = {
    ...(account !== "" && { account }),
    ...(keyId !== "" && { keyId }),
    ...(model !== "" && { model }),
    ...(provider !== "" && { provider }),
    ...(route !== "" && { route }),
  };
  return { startMs, endMs, groupBy, labelKey, interval, filter };
}

/** Translates a valid request of ListCalls. Throws INVALID_REQUEST for what the annotations cannot express. */
export function toCallsQuery(request: ListCallsRequest): Omit<CallsQuery, "limit" | "before"> {
  const { account, keyId, model, outcome, requestId, startTime, endTime } = request;
  requireNone(wrongTimes(request, msOf(startTime, Number.NEGATIVE_INFINITY), msOf(endTime, Number.POSITIVE_INFINITY)));
  return {
    ...(startTime !== undefined && { startMs: msOf(startTime, 0) }),
    ...(endTime !== undefined && { endMs: msOf(endTime, 0) }),
    ...(account !== "" && { account }),
    ...(keyId !== "" && { keyId }),
    ...(model !== "" && { model }),
    ...(outcome !== CallOutcome.UNSPECIFIED && { outcome }),
    ...(requestId !== "" && { requestId }),
  };
}

function msOf(time: Timestamp | undefined, unset: number): number {
  return time === undefined ? unset : toMs(time);
}

function wrongTimes(
  { startTime, endTime }: Pick<ListCallsRequest, "startTime" | "endTime">,
  startMs: number,
  endMs: number,
): readonly (FieldViolation | false)[] {
  const isWrong = (time: Timestamp | undefined): boolean => time !== undefined && !isTime(time);
  const areTimes = !isWrong(startTime) && !isWrong(endTime);
  return [
    isWrong(startTime) && violation("start_time", timeRule),
    isWrong(endTime) && violation("end_time", timeRule),
    areTimes && endTime === undefined && endMs <= startMs && violation("start_time", "must not be later than now"),
    areTimes && endTime !== undefined && endMs <= startMs && violation("end_time", "must be later than start_time"),
  ];
}

function violation(field: string, description: string): FieldViolation {
  return { root: "message", field: [field], description };
}

function requireNone(violations: readonly (FieldViolation | false)[]): void {
  const found = violations.filter((item) => item !== false);
  if (found.length > 0) throw invalidRequest(found);
}

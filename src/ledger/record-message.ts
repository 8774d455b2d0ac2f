import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { CallOutcome, type CallRecord as CallRecordMessage } from "../gen/dragoman/admin/v1/call_record_pb.js";
import { Profile } from "../gen/dragoman/v1/profile_pb.js";
import { profileNames } from "../profiles/profiles.ts";
import { profileValues } from "../profiles/select-profile.ts";
import type { CallRecord, Outcome, StartedCall } from "./record.ts";

const outcomes = {
  ok: CallOutcome.OK,
  failed: CallOutcome.FAILED,
  cancelled: CallOutcome.CANCELLED,
  deadline_exceeded: CallOutcome.DEADLINE_EXCEEDED,
  refused: CallOutcome.REFUSED,
} as const satisfies Record<Outcome, CallOutcome>;

const profileByName: Readonly<Record<string, Profile>> = Object.fromEntries(
  profileNames.map((name) => [name, profileValues[name]]),
);

/** Returns the record of a settled call as it is stored. */
export function toMessage(record: CallRecord): CallRecordMessage {
  const { firstOutputMs, usage } = record;
  return {
    ...toLostMessage(record),
    outcome: outcomes[record.outcome],
    reason: record.reason ?? "",
    attempts: [...record.attempts],
    notes: [...record.notes],
    duration: durationFromMs(Math.round(record.durationMs)),
    ...(usage && { usage }),
    ...(firstOutputMs !== undefined && { firstOutputDuration: durationFromMs(Math.round(firstOutputMs)) }),
  };
}

/** Returns the record of a call whose process may end before it does: all that is known when it asks a provider. */
export function toLostMessage(call: StartedCall): CallRecordMessage {
  return {
    $typeName: "dragoman.admin.v1.CallRecord",
    id: call.id,
    startTime: timestampFromDate(call.startTime),
    account: call.accountId,
    keyId: call.keyId,
    user: call.user,
    labels: { ...call.labels },
    route: call.route,
    model: call.model,
    provider: call.provider,
    method: call.method,
    outcome: CallOutcome.LOST,
    reason: "",
    attempts: [],
    requestId: call.requestId,
    profile: profileByName[call.profile] ?? Profile.UNSPECIFIED,
    peer: call.peerAddress,
    protocol: call.protocol,
    notes: [],
  };
}

import { create } from "@bufbuild/protobuf";
import type { CallRecord as CallRecordMessage } from "../../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { UsageSchema } from "../../../src/gen/dragoman/v1/usage_pb.js";
import type { CallRecord } from "../../../src/ledger/record.ts";
import { toLostMessage, toMessage } from "../../../src/ledger/record-message.ts";

export const database = "sqlite:/somewhere/dragoman.db";

/** Record of a call that succeeded. */
export const call: CallRecord = {
  id: "",
  requestId: "r-1",
  method: "CompleteChat",
  mayCost: true,
  protocol: "grpc",
  peerAddress: "127.0.0.1",
  startTime: new Date(1_800_000_000_000),
  keyId: "team-a",
  accountId: "billing",
  user: "",
  labels: { team: "search" },
  route: "",
  model: "openai/gpt-4o",
  provider: "openai",
  profile: "plain",
  outcome: "ok",
  reason: undefined,
  usage: create(UsageSchema, { inputTokens: 10, outputTokens: 5, totalTokens: 15 }),
  notes: [],
  attempts: [],
  durationMs: 12,
  firstOutputMs: 3,
};

export function mark(id: string): CallRecordMessage {
  return toLostMessage({ ...call, id });
}

export function record(id: string, changes: Partial<CallRecord> = {}): CallRecordMessage {
  return toMessage({ ...call, id, ...changes });
}

import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { createCallId } from "../../src/calls/call-id.ts";
import type { StoreSettings } from "../../src/config/config.ts";
import { AttemptOutcome, AttemptSchema } from "../../src/gen/dragoman/v1/attempt_pb.js";
import { CostSource, UsageQuality, UsageSchema } from "../../src/gen/dragoman/v1/usage_pb.js";
import { openLedger } from "../../src/ledger/ledger.ts";
import type { CallRecord } from "../../src/ledger/record.ts";

export const durabilities = ["process", "disk", "async"] as const satisfies readonly StoreSettings["durability"][];

/** What a call does for the ledger. */
export interface LedgerPath {
  starting(call: CallRecord): Promise<void> | undefined;
  settled(call: CallRecord): Promise<void> | undefined;
  close(): Promise<void>;
}

/** Opens a ledger in a folder. Undefined: a path that records nothing. */
export function openPath(folder: string, durability: StoreSettings["durability"] | undefined): LedgerPath {
  if (durability === undefined) return { starting: () => undefined, settled: () => undefined, close: async () => {} };
  const path = join(folder, "dragoman.db");
  const ledger = openLedger(
    {
      isWritten: true,
      database: { kind: "sqlite", name: `sqlite:${path}`, path },
      outbox: join(folder, durability),
      durability,
      onFull: "drop",
      maxOutboxBytes: 2 ** 33,
      retention: { callsMs: 0, hoursMs: 0 },
      sinks: { otlp: undefined },
    },
    { info() {}, warn: (fields, message) => console.error(message, fields) },
  );
  return {
    starting: (call) => ledger.observer.starting?.(call),
    settled: (call) => ledger.observer.settled?.(call, undefined),
    async close() {
      await ledger.close();
      ledger.release();
    },
  };
}

const cost = {
  totalNanos: 4_500_000n,
  inputNanos: 2_500_000n,
  outputNanos: 2_000_000n,
  source: CostSource.PRICE_TABLE,
};
const usage = create(UsageSchema, {
  inputTokens: 1_000,
  outputTokens: 200,
  totalTokens: 1_200,
  cachedInputTokens: 512,
  quality: UsageQuality.EXACT,
  cost: { ...cost, priceVersion: "2026-11-29" },
});
const attempt = create(AttemptSchema, {
  provider: "openai",
  providerModel: "gpt-4o",
  target: "openai/gpt-4o",
  httpStatus: 200,
  providerRequestId: "req_8f14e45fceea167a5a36dedd4bea2543",
  providerResponseId: "chatcmpl-9q2w3e4r5t6y7u8i9o0p",
  duration: durationFromMs(812),
  startOffset: durationFromMs(1),
  firstOutputDuration: durationFromMs(310),
  outcome: AttemptOutcome.ANSWERED,
  usage,
});

/** Creates a call of usual size. */
export function createCall(): CallRecord {
  const id = createCallId("chatcmpl-");
  return {
    id,
    requestId: id,
    method: "StreamChat",
    mayCost: true,
    protocol: "grpc",
    peerAddress: "10.20.30.40",
    startTime: new Date(),
    keyId: "billing-backend",
    accountId: "billing",
    user: "user-4711",
    labels: { team: "search", feature: "answers" },
    route: "chat-fast",
    model: "gpt-4o",
    provider: "openai",
    profile: "plain",
    outcome: "ok",
    reason: undefined,
    usage,
    notes: [],
    attempts: [attempt],
    durationMs: 815,
    firstOutputMs: 312,
  };
}

import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createCallId } from "../../src/calls/call-id.ts";
import { CallOutcome, type CallRecord, CallRecordSchema } from "../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { AttemptOutcome, AttemptSchema } from "../../src/gen/dragoman/v1/attempt_pb.js";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { CostSchema, CostSource, UsageQuality, UsageSchema } from "../../src/gen/dragoman/v1/usage_pb.js";

const models = [
  ["openai", "gpt-5.5"],
  ["anthropic", "claude-sonnet-5"],
  ["openai", "gpt-4o"],
  ["gemini", "gemini-2.5-pro"],
  ["anthropic", "claude-opus-5"],
  ["cerebras", "gpt-oss-120b"],
  ["mistral", "mistral-large"],
  ["gemini", "gemini-2.5-flash"],
] as const;

export const accounts = 50;
const keysOfAccount = 3;
const teams = ["search", "support", "mobile", "batch"];

/** Returns a whole number below `count`; the first ones are the most frequent. */
function skewed(count: number): number {
  return Math.floor(count * Math.random() ** 2.5);
}

/** Returns a record as real traffic has them: one attempt, two labels, tokens and cost; 4 of 100 failed. */
export function plausibleRecord(startMs: number): CallRecord {
  const [provider, model] = models[skewed(models.length)] ?? models[0];
  const account = skewed(accounts);
  const [inputTokens, outputTokens] = [50 + skewed(8000), 10 + skewed(2000)];
  const durationMs = Math.round(200 + 10_000 * Math.random() ** 3);
  const failed = Math.random() < 0.04;
  const id = createCallId("chatcmpl-", startMs);
  const usage = create(UsageSchema, {
    ...{ inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, quality: UsageQuality.EXACT },
    cachedInputTokens: Math.floor(inputTokens / 2),
    cost: create(CostSchema, {
      totalNanos: BigInt(inputTokens * 2500 + outputTokens * 10_000),
      inputNanos: BigInt(inputTokens * 2500),
      outputNanos: BigInt(outputTokens * 10_000),
      source: CostSource.PRICE_TABLE,
      priceVersion: "2026-09-23",
    }),
  });
  return create(CallRecordSchema, {
    ...{ id, requestId: id, startTime: timestampFromMs(startMs), account: `account-${account}` },
    keyId: `key-${account}-${skewed(keysOfAccount)}`,
    labels: { team: teams[skewed(teams.length)] ?? "", feature: `feature-${skewed(20)}` },
    ...{ route: "", model: `${provider}/${model}`, provider, method: "CompleteChat", protocol: "grpc" },
    ...(failed
      ? { outcome: CallOutcome.FAILED, reason: "PROVIDER_UNAVAILABLE" }
      : { outcome: CallOutcome.OK, usage, firstOutputDuration: durationFromMs(durationMs / 2) }),
    ...{ duration: durationFromMs(durationMs), profile: Profile.PLAIN, peer: "10.0.0.7" },
    attempts: [
      create(AttemptSchema, {
        ...{ provider, providerModel: model, target: `${provider}/${model}`, credential: "main" },
        ...{
          httpStatus: failed ? 503 : 200,
          providerRequestId: "req_0123456789abcdef",
          startOffset: durationFromMs(1),
        },
        duration: durationFromMs(durationMs - 1),
        outcome: failed ? AttemptOutcome.FAILED : AttemptOutcome.ANSWERED,
      }),
    ],
  });
}

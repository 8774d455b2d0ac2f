import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createCallId } from "../src/calls/call-id.ts";
import { runCommandLine } from "../src/cli/command-line.ts";
import { UsageError } from "../src/cli/failures.ts";
import { shellOf } from "../src/cli/shell.ts";
import { createDatabase } from "../src/database/database.ts";
import { CallOutcome, type CallRecord, CallRecordSchema } from "../src/gen/dragoman/admin/v1/call_record_pb.js";
import { UsageQuality, UsageSchema } from "../src/gen/dragoman/v1/usage_pb.js";
import { createDatabaseSink } from "../src/ledger/sql/database-sink.ts";
import { Bill } from "../src/prices/bill.ts";
import { createPriceList } from "../src/prices/price-list.ts";

// Writes a simulated day of traffic to a ledger of its own and shows it with `dragoman usage`, whose options it takes:
// npm run demo:usage -- --by account,label:feature

const hourMs = 3_600_000;
const callsPerHour = 400;

/** Random numbers from 0 to 1, the same in each run: mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = createRandom(2026);

type Weighted<Item> = readonly [item: Item, weight: number];

/** Returns one of the items, the more often the greater its weight. */
function pick<Item>(items: readonly Weighted<Item>[]): Item {
  let left = random() * items.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [item, weight] of items) {
    left -= weight;
    if (left < 0) return item;
  }
  throw new Error("there are no items");
}

interface Team {
  readonly account: string;
  readonly keyId: string;
  readonly features: readonly string[];
}

const teams: readonly Weighted<Team>[] = [
  [{ account: "support", keyId: "support-bot", features: ["answer", "summary", "triage"] }, 6],
  [{ account: "search", keyId: "search-api", features: ["rewrite", "rerank"] }, 9],
  [{ account: "research", keyId: "notebooks", features: ["agent"] }, 2],
  [{ account: "billing", keyId: "billing-batch", features: ["extract"] }, 1],
];

const models: readonly Weighted<string>[] = [
  ["openai/gpt-5.5", 4],
  ["anthropic/claude-sonnet-5", 3],
  ["gemini/gemini-2.5-pro", 2],
  ["vllm/our-model", 1],
];

const outcomes: readonly Weighted<{ readonly outcome: CallOutcome; readonly reason: string }>[] = [
  [{ outcome: CallOutcome.OK, reason: "" }, 960],
  [{ outcome: CallOutcome.FAILED, reason: "PROVIDER_UNAVAILABLE" }, 14],
  [{ outcome: CallOutcome.CANCELLED, reason: "CANCELLED" }, 12],
  [{ outcome: CallOutcome.REFUSED, reason: "TOKENS_LIMITED" }, 8],
  [{ outcome: CallOutcome.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" }, 5],
  [{ outcome: CallOutcome.LOST, reason: "" }, 1],
];

const prices = createPriceList();

function simulateCall(startMs: number): CallRecord {
  const { account, keyId, features } = pick(teams);
  const model = pick(models);
  const [provider = "", providerModel = ""] = model.split("/");
  const { outcome, reason } = pick(outcomes);
  const id = createCallId("chatcmpl-", startMs);
  const inputTokens = Math.round(200 * Math.exp(4 * random() ** 2));
  const outputTokens = Math.round(20 * Math.exp(4 * random()));
  const hasUsage = outcome !== CallOutcome.REFUSED && outcome !== CallOutcome.LOST;
  const tokens = create(UsageSchema, {
    ...{ inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, quality: UsageQuality.EXACT },
    ...(random() < 0.5 && { cachedInputTokens: Math.round(0.8 * inputTokens) }),
  });
  const usage = new Bill(prices, new Date(startMs)).charge({ id: model, provider, providerModel }, tokens, "");
  return create(CallRecordSchema, {
    ...{ id, startTime: timestampFromMs(startMs), account, keyId, model, provider, outcome, reason, requestId: id },
    labels: { feature: features[Math.floor(random() * features.length)] ?? "" },
    method: "StreamChat",
    protocol: "grpc",
    ...(hasUsage && { usage }),
    ...(outcome !== CallOutcome.LOST && { duration: durationFromMs(Math.round(300 + 25 * outputTokens * random())) }),
  });
}

/** Calls of the last 24 hours, of which the afternoon has most. */
function simulateDay(nowMs: number): readonly CallRecord[] {
  return Array.from({ length: 24 }, (_, hour) => {
    const beginMs = nowMs - (hour + 1) * hourMs;
    const busy = 1 + Math.cos(((new Date(beginMs).getUTCHours() - 15) / 12) * Math.PI);
    return Array.from({ length: Math.round(callsPerHour * busy) + 5 }, () =>
      simulateCall(beginMs + Math.floor(random() * hourMs)),
    );
  }).flat();
}

const folder = mkdtempSync(join(tmpdir(), "dragoman-usage-"));
try {
  const path = join(folder, "ledger.db");
  const database = createDatabase({ kind: "sqlite", path });
  await createDatabaseSink(database).store(simulateDay(Date.now()));
  await database.close();
  const file = join(folder, "dragoman.yaml");
  writeFileSync(file, `store: { database: "sqlite:${path}", outbox: "${join(folder, "outbox")}" }\n`);
  const given = process.argv.slice(2);
  await runCommandLine(["usage", "--config", file, ...given], shellOf(process, process.env));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`demo:usage: ${error.message}`);
  process.exitCode = 2;
} finally {
  rmSync(folder, { recursive: true });
}

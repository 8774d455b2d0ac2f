import { durationMs } from "@bufbuild/protobuf/wkt";
import type { OtelSettings } from "../../config/telemetry.ts";
import { type Attempt, AttemptOutcome } from "../../gen/dragoman/v1/attempt_pb.js";
import type { CallObserver } from "../../ledger/call-observer.ts";
import type { Operation } from "../../ledger/record.ts";
import type { MetricDefinition } from "../metrics/definitions.ts";
import type { LabelNames } from "../metrics/label-names.ts";
import { otherName } from "../metrics/label-names.ts";
import { Counter, type Family, Histogram } from "../metrics/metrics.ts";
import { genAiNames, genAiProvider, stable, tokenMetrics } from "./conventions.ts";
import { rpcOf } from "./rpc-methods.ts";

/** Buckets that the conventions advise: of times in seconds, and of tokens. */
const seconds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const rpcSeconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const tokenBuckets = Array.from({ length: 14 }, (_, power) => 4 ** power);

/** Metrics with the names of the semantic conventions, which only OTLP exports. */
export function createConventionMetrics(
  generation: OtelSettings["conventions"],
  labels: LabelNames,
  providerOf: (name: string) => string,
): { readonly observer: CallObserver; readonly families: readonly Family[] } {
  const names = genAiNames(generation);
  const histogram = (name: string, unit: string, help: string, own: readonly string[], buckets: readonly number[]) =>
    new Histogram({ name, type: "histogram", unit, help, labels: own, buckets } satisfies MetricDefinition);
  const target = [names.operation, names.provider, names.requestModel];
  const durations = histogram(
    names.duration,
    "s",
    "Time of an upstream request.",
    [...target, stable.errorType],
    seconds,
  );
  const firstChunks = histogram(names.firstChunk, "s", "Time to the first output.", target, seconds);
  const rpcs = histogram(
    stable.rpcDuration,
    "s",
    "Time of an RPC.",
    [stable.rpcSystem, stable.rpcMethod, stable.rpcStatus],
    rpcSeconds,
  );
  const tokens = createTokenMetrics(generation, target, histogram);

  function count(operation: Operation, attempt: Attempt): void {
    const { provider, providerModel, outcome, failureReason, duration, firstOutputDuration: first, usage } = attempt;
    if (duration === undefined) return;
    const model = labels.target(attempt.target) === otherName ? otherName : providerModel;
    const own = [operation, genAiProvider(providerOf(provider)), model];
    const error = outcome === AttemptOutcome.ANSWERED ? "" : labels.reason(failureReason);
    durations.observe(durationMs(duration) / 1000, undefined, ...own, error);
    if (first !== undefined) firstChunks.observe(durationMs(first) / 1000, undefined, ...own);
    if (usage !== undefined) tokens.count(usage.inputTokens, usage.outputTokens, own);
  }

  return {
    observer: {
      attempt: ({ operation = "chat" }, attempt) => count(operation, attempt),
      settled(record, error) {
        const rpc = rpcOf(record);
        const status = error?.status ?? "OK";
        if (rpc) rpcs.observe(record.durationMs / 1000, undefined, rpc.system, rpc.method, status);
        return undefined;
      },
    },
    families: [durations, firstChunks, rpcs, ...tokens.families],
  };
}

type CreateHistogram = (
  name: string,
  unit: string,
  help: string,
  labels: readonly string[],
  buckets: readonly number[],
) => Histogram;

function createTokenMetrics(
  generation: OtelSettings["conventions"],
  target: readonly string[],
  histogram: CreateHistogram,
) {
  if (generation === "1.41") {
    const own = [...target, tokenMetrics.type];
    const usage = histogram(tokenMetrics.usage, "{token}", "Tokens of an upstream request.", own, tokenBuckets);
    return {
      families: [usage],
      count(input: number, output: number, labels: readonly string[]): void {
        usage.observe(input, undefined, ...labels, "input");
        usage.observe(output, undefined, ...labels, "output");
      },
    };
  }
  const counter = (name: string, help: string) =>
    new Counter({ name, type: "counter", unit: "{token}", help, labels: target } satisfies MetricDefinition);
  const inputs = counter(tokenMetrics.inputTokens, "Input tokens of upstream requests.");
  const outputs = counter(tokenMetrics.outputTokens, "Output tokens of upstream requests.");
  return {
    families: [inputs, outputs],
    count(input: number, output: number, labels: readonly string[]): void {
      inputs.add(input, ...labels);
      outputs.add(output, ...labels);
    },
  };
}

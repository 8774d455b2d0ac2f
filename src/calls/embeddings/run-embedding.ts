import { append } from "../../append.ts";
import { GatewayError } from "../../errors.ts";
import type { Attempt } from "../../gen/dragoman/v1/attempt_pb.js";
import type { EmbedResponse } from "../../gen/dragoman/v1/embedding_service_pb.js";
import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import type { Warning } from "../../gen/dragoman/v1/warning_pb.js";
import { Bill } from "../../prices/bill.ts";
import type { EmbeddedBatch, EmbeddingApi } from "../../providers/embedding-api.ts";
import type { TargetRun } from "../../routing/choices.ts";
import { startEmbedding } from "../../routing/embedding-attempt.ts";
import type { RouteRun } from "../../routing/route-run.ts";
import { withRunAgain } from "../../routing/run-again.ts";
import type { RunParameters } from "../../routing/started-attempt.ts";
import type { Target } from "../../routing/target.ts";
import { addUsage } from "../../tokens/add-usage.ts";
import { completeEmbeddingUsage } from "../../tokens/embedding-size.ts";
import { attemptOptions } from "../attempt-options.ts";
import type { Call } from "../call.ts";
import type { CallTarget } from "../call-targets.ts";
import { answerTooLarge, fallbackWarning, priceWarnings, totalOf } from "../run.ts";
import { type Batch, inCall, smallestBounds, splitInputs } from "./batches.ts";
import { learnFromEmbedding, nameRejectedField } from "./learn-embedding.ts";
import { type EmbeddingPlan, embeddingsWithout } from "./plan-embedding.ts";
import type { PreparedEmbedding } from "./prepare-embedding.ts";
import { runParts } from "./run-parts.ts";

type Run = RouteRun<CallTarget, EmbeddingPlan, EmbeddedBatch>;

/** Vectors of one batch, with who returned them. */
interface Embedded {
  readonly vectors: readonly Float32Array[];
  readonly usage: Usage;
  readonly plan: EmbeddingPlan;
  readonly fellBack: string;
}

/** Sends the inputs of a call upstream, in as many requests as its targets require, each as its route requires. */
export async function runEmbedding(
  { request, route, plan }: PreparedEmbedding,
  call: Call,
): Promise<Omit<EmbedResponse, "id">> {
  const attempts: Attempt[] = [];
  const runs: Run[] = [];
  /** Plans without fields that a provider rejected, by the plan with them. */
  const revised = new Map<EmbeddingPlan, EmbeddingPlan>();
  const bill = new Bill(call.snapshot.prices, call.startTime);
  let outputSize = 0;
  call.note({ attempts });
  call.explainDeadline(() => runs.find(({ waitsFor }) => waitsFor !== undefined)?.waitsFor);
  call.countUsage(() => {
    for (const run of runs) run.noteUsage();
    return totalOf(attempts, bill, call);
  });

  function start(own: EmbeddingPlan, batch: Batch, given: RunParameters): TargetRun<EmbeddedBatch> {
    const planned = revised.get(own) ?? own;
    const { target } = planned;
    const { model } = target;
    call.note({ model: model.id, provider: model.provider });
    const runOnce = ({ api, request: sent }: EmbeddingPlan): TargetRun<EmbeddedBatch> => {
      const options = {
        ...attemptOptions(call, bill, { model, request: sent }, given),
        onOutput(attempt: Attempt) {
          call.outputStarted();
          given.onOutput(attempt);
        },
      };
      const run = startEmbedding(target, api, { ...sent, inputs: [...batch.inputs] }, options);
      append(attempts, run.attempts);
      return run;
    };

    /** Runs once more without fields of the adapter that the provider rejected. */
    async function withoutRejected(failure: unknown, failed: TargetRun<EmbeddedBatch>) {
      const learned = learnFromEmbedding(failure, planned, call.learned.untilMs());
      if (learned === undefined || !call.hasTimeForAnother(failed.attempts)) return undefined;
      const next = planned.revise(learned);
      revised.set(own, next);
      return { run: runOnce(next), onOutput: () => call.learned.add(target, learned) };
    }

    return withRunAgain(runOnce(planned), withoutRejected, (failure) =>
      nameRejectedField(inCall(failure, batch), planned),
    );
  }

  /** Throws if the response is too large with what a run has added. */
  function checkSize(run: Pick<TargetRun<EmbeddedBatch>, "outputSize">): void {
    if (outputSize + run.outputSize > call.maxAnswerBytes) {
      throw answerTooLarge(call.maxAnswerBytes, "send fewer inputs, or lower the dimensions");
    }
  }

  async function embedBatch(batch: Batch, signal: AbortSignal): Promise<Embedded> {
    const run = call.router.run<CallTarget, EmbeddingPlan, EmbeddedBatch>(
      {
        signal,
        whole: true,
        canHedge: true,
        conversation: undefined,
        leftMs: () => call.leftMs,
        plan: async (candidate) => plan(candidate),
        start: (planned, _candidate, parameters) => start(planned, batch, parameters),
        checkSize,
      },
      route,
    );
    runs.push(run);
    let answer: EmbeddedBatch | undefined;
    for await (const events of run.events) answer ??= events[0];
    const { winner } = run;
    if (answer === undefined || winner === undefined) {
      throw new GatewayError("PROVIDER_FAULT", "the provider's response is malformed: it has no vectors");
    }
    outputSize += run.outputSize;
    checkSize({ outputSize: 0 });
    const { vectors } = answer;
    const usage = completeEmbeddingUsage(answer.usage, batch.inputs);
    return { vectors, usage, plan: revised.get(winner.plan) ?? winner.plan, fellBack: winner.fellBack };
  }

  const { inputs, dimensions = 0 } = request;
  checkSize({ outputSize: inputs.length * dimensions * Float32Array.BYTES_PER_ELEMENT });
  const batches = splitFor(route, request, (target) => embeddingsWithout(target, call.learned.of(target)));
  const parts = await runParts(batches, call.signal, embedBatch);
  const vectors = parts.flatMap((part) => part.vectors);
  const [first] = parts;
  if (first === undefined) throw new Error("a valid request has an input, and so a batch");
  requireOneLength(vectors);
  const usage = bill.total(parts.map((part) => part.usage).reduce(addUsage));
  call.countUsage(() => usage);
  const { model } = first.plan.target;
  call.note({ model: model.id, provider: model.provider });
  return {
    $typeName: "dragoman.v1.EmbedResponse",
    embeddings: vectors.map((values, index) => ({
      $typeName: "dragoman.v1.Embedding",
      index,
      // The encoders of the listeners only iterate over the values: an array would take twice the memory, and time.
      values: values as unknown as number[],
    })),
    model: model.id,
    provider: model.provider,
    usage,
    warnings: distinct([
      ...parts.flatMap(({ fellBack }) => (fellBack === "" ? [] : [fallbackWarning(fellBack)])),
      ...parts.flatMap((part) => part.plan.warnings),
      ...call.holdings.warnings,
      ...priceWarnings(first.plan, bill, call),
    ]),
    attempts,
  };
}

/** Splits the inputs into batches that fit every target of a route. */
function splitFor(
  { tiers }: PreparedEmbedding["route"],
  { inputs, dimensions }: PreparedEmbedding["request"],
  embeddingsOf: (target: Target) => EmbeddingApi | undefined,
): readonly Batch[] {
  const targets = tiers.flatMap(({ members }) => members.flatMap(({ target }) => target ?? []));
  const bounds = targets.flatMap((target) => embeddingsOf(target)?.bounds(target.model) ?? []);
  const known = Math.max(0, ...targets.map(({ model }) => model.embeddingDimensions));
  // Without any bounds, no target is usable: the search for one says why.
  return bounds.length === 0
    ? [{ start: 0, inputs }]
    : splitInputs(inputs, smallestBounds(bounds), dimensions ?? known);
}

/** Throws PROVIDER_FAULT if vectors of different upstream requests have different lengths. */
function requireOneLength(vectors: readonly Float32Array[]): void {
  const length = vectors[0]?.length;
  const other = vectors.find((vector) => vector.length !== length);
  if (other === undefined) return;
  const message = `the provider returned vectors of different lengths: ${length} and ${other.length}`;
  throw new GatewayError("PROVIDER_FAULT", message);
}

function distinct(warnings: readonly Warning[]): Warning[] {
  return [
    ...new Map(warnings.map((warning) => [`${warning.reason} ${warning.field} ${warning.message}`, warning])).values(),
  ];
}

import { GatewayError } from "../errors.ts";
import type { EmbedRequest } from "../gen/dragoman/v1/embedding_service_pb.js";
import { UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import type { QueueState } from "../providers/adapter.ts";
import type { EmbeddedBatch, EmbeddingApi } from "../providers/embedding-api.ts";
import { completeEmbeddingUsage, estimateEmbeddingUsage } from "../tokens/embedding-size.ts";
import type { AttemptOptions } from "./attempt.ts";
import { attemptFailure } from "./attempt-failure.ts";
import { AttemptRecord } from "./attempt-record.ts";
import type { TargetRun } from "./choices.ts";
import type { Target } from "./target.ts";
import { mayHaveUsedTokens } from "./used-tokens.ts";

/** Makes one upstream request for embeddings. Every failure is a GatewayError. */
export function startEmbedding(
  { adapter, model }: Target,
  api: EmbeddingApi,
  request: EmbedRequest,
  options: AttemptOptions,
): TargetRun<EmbeddedBatch> {
  const { signal, holder, key = adapter.keys?.[0], idleMs = 0 } = options;
  const record = new AttemptRecord(model, options, key?.name);
  const { attempt } = record;
  const queue: QueueState = { waitsFor: undefined };
  let outputSize = 0;
  let failure: GatewayError | undefined;

  async function* run(): AsyncGenerator<readonly EmbeddedBatch[]> {
    record.begin();
    options.onBegin?.(attempt, queue);
    const trace = options.onTrace?.(attempt, adapter.baseUrl);
    try {
      const context = { signal, holder, attempt, queue, trace, apiKey: key?.secret, idleMs, onOutput: record.sign };
      for await (const batches of api.embed(request, model, context)) {
        signal.throwIfAborted();
        for (const batch of batches) {
          record.output();
          checkVectors(batch.vectors, request);
          for (const vector of batch.vectors) outputSize += vector.byteLength;
          record.answered(completeEmbeddingUsage(batch.usage, request.inputs), "", "");
        }
        if (batches.length > 0) yield batches;
      }
    } catch (error) {
      failure = attemptFailure(signal.aborted ? signal.reason : error, attempt, false);
      options.onFailure?.(failure, attempt);
      record.failed(failure.reason);
      throw failure;
    } finally {
      record.end();
    }
  }

  return {
    attempts: [attempt],
    events: run(),
    outputCharacters: 0,
    get outputSize() {
      return outputSize;
    },
    get waitsFor() {
      return queue.waitsFor;
    },
    noteUsage() {
      if (attempt.usage !== undefined || !mayHaveUsedTokens(attempt, false, queue, failure)) return;
      record.used(estimateEmbeddingUsage(request.inputs, UsageQuality.PARTIAL), "");
    },
  };
}

/** Throws PROVIDER_FAULT unless there is a vector for each input, all of the requested length, with finite values. */
function checkVectors(vectors: readonly Float32Array[], { inputs, dimensions }: EmbedRequest): void {
  if (vectors.length !== inputs.length) {
    throw malformed(`it has ${vectors.length} vectors for ${inputs.length} inputs`);
  }
  const length = dimensions ?? vectors[0]?.length ?? 0;
  for (const [index, vector] of vectors.entries()) {
    if (vector.length === 0) throw malformed(`the vector of input ${index} is empty`);
    if (vector.length !== length) {
      throw malformed(`the vector of input ${index} has ${vector.length} values instead of ${length}`);
    }
    if (!hasFiniteValues(vector)) throw malformed(`the vector of input ${index} has a value that is not finite`);
  }
}

/** A loop, since `every` takes ten times as long. */
function hasFiniteValues(vector: Float32Array): boolean {
  for (let index = 0; index < vector.length; index++) if (!Number.isFinite(vector[index])) return false;
  return true;
}

/** As `malformedAnswer` (upstream/errors.ts), for a response that the adapter could read. */
function malformed(what: string): GatewayError {
  const message = `the provider's response is malformed: ${what}`;
  return new GatewayError("PROVIDER_FAULT", message, { interruption: message });
}

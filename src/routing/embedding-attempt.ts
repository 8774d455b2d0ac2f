import { GatewayError } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import type { EmbedRequest } from "../gen/dragoman/v1/embedding_service_pb.js";
import { UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import type { ProviderKey, QueueState } from "../providers/adapter.ts";
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
  target: Target,
  api: EmbeddingApi,
  request: EmbedRequest,
  options: AttemptOptions,
): TargetRun<EmbeddedBatch> {
  return new StartedEmbedding(target, api, request, options);
}

/** A class for the same reason as in attempt.ts. */
class StartedEmbedding implements TargetRun<EmbeddedBatch> {
  readonly attempts: readonly Attempt[];
  readonly events: AsyncIterable<readonly EmbeddedBatch[]>;
  readonly outputCharacters = 0;
  outputSize = 0;
  readonly #target: Target;
  readonly #api: EmbeddingApi;
  readonly #request: EmbedRequest;
  readonly #options: AttemptOptions;
  readonly #key: ProviderKey | undefined;
  readonly #record: AttemptRecord;
  readonly #queue: QueueState = { waitsFor: undefined };
  #failure: GatewayError | undefined;

  constructor(target: Target, api: EmbeddingApi, request: EmbedRequest, options: AttemptOptions) {
    this.#target = target;
    this.#api = api;
    this.#request = request;
    this.#options = options;
    this.#key = options.key ?? target.adapter.keys?.[0];
    this.#record = new AttemptRecord(target.model, options, this.#key?.name);
    this.attempts = [this.#record.attempt];
    this.events = this.#run();
  }

  get waitsFor(): string | undefined {
    return this.#queue.waitsFor;
  }

  noteUsage(): void {
    const { attempt } = this.#record;
    if (attempt.usage !== undefined || !mayHaveUsedTokens(attempt, false, this.#queue, this.#failure)) return;
    this.#record.used(estimateEmbeddingUsage(this.#request.inputs, UsageQuality.PARTIAL), "");
  }

  async *#run(): AsyncGenerator<readonly EmbeddedBatch[]> {
    const [record, request, options] = [this.#record, this.#request, this.#options];
    const { attempt } = record;
    const { signal } = options;
    record.begin();
    options.onBegin?.(attempt, this.#queue);
    try {
      for await (const batches of this.#send()) {
        signal.throwIfAborted();
        for (const batch of batches) {
          record.output();
          checkVectors(batch.vectors, request);
          for (const vector of batch.vectors) this.outputSize += vector.byteLength;
          record.answered(completeEmbeddingUsage(batch.usage, request.inputs), "", "");
        }
        if (batches.length > 0) yield batches;
      }
    } catch (error) {
      const failure = attemptFailure(signal.aborted ? signal.reason : error, attempt, false);
      this.#failure = failure;
      options.onFailure?.(failure, attempt);
      record.failed(failure.reason);
      throw failure;
    } finally {
      record.end();
    }
  }

  /** Sends the request. Returns the batches of vectors of the response. */
  #send(): AsyncIterable<readonly EmbeddedBatch[]> {
    const { attempt, sign: onOutput } = this.#record;
    const { adapter, model } = this.#target;
    const { signal, holder, idleMs = 0, onTrace } = this.#options;
    const trace = onTrace?.(attempt, adapter.baseUrl);
    const context = { signal, holder, attempt, queue: this.#queue, trace, apiKey: this.#key?.secret, idleMs, onOutput };
    return this.#api.embed(this.#request, model, context);
  }
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

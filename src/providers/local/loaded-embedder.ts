import { BoundedPool } from "../../bounded-pool.ts";
import type { EmbeddingContext, Engine, LlamaModel, Token } from "./engine.ts";
import { queueNotice } from "./loaded-model.ts";
import type { LocalOptions } from "./options.ts";

/** Embedding model in memory. */
export interface LoadedEmbedder {
  readonly model: LlamaModel;
  /** Context window in tokens. An input must have fewer. */
  readonly contextSize: number;
  /** Returns the number of tokens of an input, with those that the engine adds. */
  readonly countTokens: (tokens: Token[]) => number;
  readonly contexts: BoundedPool<EmbeddingContext>;
}

/** Creates the memory of a model for embeddings. */
export async function loadEmbedder(
  _engine: Engine,
  model: LlamaModel,
  { context_size, parallel, threads, max_queue }: LocalOptions,
): Promise<LoadedEmbedder> {
  const contextSize = Math.min(context_size, model.trainContextSize);
  const create = () => model.createEmbeddingContext({ contextSize, batchSize: contextSize, threads });
  const first = await create();
  const contexts = [first];
  while (contexts.length < parallel) contexts.push(await create());
  return {
    ...{ model, contextSize },
    countTokens: (tokens) => first.calculateInputLength(tokens),
    contexts: new BoundedPool(contexts, max_queue, queueNotice),
  };
}

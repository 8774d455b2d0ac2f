import { abortable } from "../../abortable.ts";
import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { fieldText, GatewayError, invalidRequest } from "../../errors.ts";
import { type EmbeddingInput, EmbeddingTask, type EmbedRequest } from "../../gen/dragoman/v1/embedding_service_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { timeInQueue } from "../../upstream/queue-time.ts";
import type { AttemptContext } from "../../upstream/upstream-call.ts";
import type { EmbeddedBatch, EmbeddingApi } from "../embedding-api.ts";
import { rejected, unsupported } from "../kit/adaptations.ts";
import { exactUsage } from "../kit/usage.ts";
import { engineFault } from "./chat.ts";
import { type LlamaModel, type Token, vocabularySize } from "./engine.ts";
import type { LoadedEmbedder } from "./loaded-embedder.ts";
import { localModel } from "./loaded-model.ts";
import type { LocalModels } from "./local-models.ts";

/** Few inputs, so that a call with many of them lets others have their turn. */
const bounds = { maxInputs: 16, maxValues: 500_000 } as const;

/**
 * Of a longer text, the begin shows whether it is too long: a token has four characters on average. Tokenizing a text of
 * 2 MB would block the event loop for half a second (measured).
 */
const charactersPerToken = 16;

/** Creates the embeddings of the local provider. Every vector has the length 1. */
export function createLocalEmbeddings(models: LocalModels): EmbeddingApi {
  return {
    bounds: () => bounds,
    checkSupport: (request, model) => [...limits(request, model)],
    async *embed(request, model, context) {
      const { signal } = context;
      signal.throwIfAborted();
      try {
        const loaded = await abortable(models.embedder(model), signal);
        yield [await embedInputs(loaded, request, context)];
      } catch (error) {
        throw signal.aborted ? signal.reason : engineFault(error, model);
      }
    },
  };
}

function* limits({ dimensions, task, user, providerOptions }: EmbedRequest, { id }: Model): Generator<Adaptation> {
  if (dimensions !== undefined) yield rejected(["dimensions"], `${id} has vectors of one length; omit dimensions`);
  if (task !== EmbeddingTask.UNSPECIFIED) {
    yield unsupported(
      ["task"],
      "the local engine has no tasks; if the model expects a prefix for it, write it in the inputs",
    );
  }
  if (user !== "") yield unsupported(["user"], "the local engine has no field for the user");
  if (providerOptions.local !== undefined) {
    yield unsupported(["provider_options"], "the local engine has no provider options");
  }
}

async function embedInputs(
  loaded: LoadedEmbedder,
  { inputs }: EmbedRequest,
  context: AttemptContext,
): Promise<EmbeddedBatch> {
  const { signal } = context;
  const tokenized = inputs.map((input, index) => readInput(input, index, loaded));
  const taken = loaded.contexts.take(context);
  const engine = taken instanceof Promise ? await timeInQueue(taken, localModel, context) : taken;
  let work: Promise<unknown> = Promise.resolve();
  try {
    const vectors: Float32Array[] = [];
    for (const { tokens } of tokenized) {
      const embedding = engine.getEmbeddingFor(tokens);
      work = embedding;
      vectors.push(normalized((await abortable(embedding, signal)).vector));
      if (vectors.length === 1) context.onOutput?.();
    }
    return {
      vectors,
      usage: exactUsage(
        tokenized.reduce((sum, { count }) => sum + count, 0),
        0,
      ),
    };
  } finally {
    // Not awaited, so that a cancelled request ends at once. The engine first finishes its current input. Only then
    // does the next request get the context.
    void Promise.allSettled([work]).then(() => loaded.contexts.give(engine, context));
  }
}

/**
 * Returns the tokens of an input, and their number with those that the engine adds. Names of special tokens in a text
 * stay text.
 */
function readInput({ kind }: EmbeddingInput, index: number, loaded: LoadedEmbedder) {
  const { model } = loaded;
  const tokens = kind.case === "tokenIds" ? knownTokens(kind.value.ids, index, model) : readText(kind.value ?? "");
  const count = loaded.countTokens(tokens);
  requireRoom(count, "", index, loaded);
  return { tokens, count };

  function readText(text: string): Token[] {
    const begin = text.slice(0, charactersPerToken * loaded.contextSize);
    if (begin.length < text.length) requireRoom(model.tokenize(begin, false).length, " or more", index, loaded);
    const tokens = model.tokenize(text, false);
    if (tokens.length > 0) return tokens;
    const description = "the text is empty; write a text, or omit the input";
    throw invalidRequest([{ root: "message", field: ["inputs", index], description }]);
  }
}

function knownTokens(ids: readonly number[], index: number, model: LlamaModel): Token[] {
  const vocabulary = vocabularySize(model);
  const wrong = ids.findIndex((id) => id >= vocabulary);
  if (wrong < 0) return [...ids];
  const field = ["inputs", index, "token_ids", "ids", wrong];
  throw invalidRequest([{ root: "message", field, description: `the model's token ids are 0 to ${vocabulary - 1}` }]);
}

function requireRoom(tokens: number, orMore: string, index: number, { contextSize }: LoadedEmbedder): void {
  if (tokens < contextSize) return;
  const description = `has ${tokens} tokens${orMore}, which fill the context window of ${contextSize} tokens; shorten it`;
  const violation = { root: "message", field: ["inputs", index], description } as const;
  throw new GatewayError("CONTEXT_LENGTH_EXCEEDED", `${fieldText(violation)}: ${description}`, {
    fields: [violation],
    metadata: { context_window_tokens: String(contextSize), input_tokens: String(tokens) },
  });
}

function normalized(values: readonly number[]): Float32Array {
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / length);
}

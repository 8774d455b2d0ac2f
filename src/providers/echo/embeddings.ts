import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import type { EmbeddingInput, EmbedRequest } from "../../gen/dragoman/v1/embedding_service_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { AttemptContext } from "../../upstream/upstream-call.ts";
import type { EmbeddedBatch, EmbeddingApi } from "../embedding-api.ts";
import { exactUsage } from "../kit/usage.ts";
import { requestedFailure, untilAborted } from "./faults.ts";
import { failureFields, milliseconds, parseScript } from "./script.ts";

/** Length of the vectors, unless the request sets it. */
export const echoDimensions = 256;

/** Small bounds, so that a test with a few hundred inputs sees several upstream requests. */
const bounds = { maxInputs: 64, maxValues: 500_000 };

/** Schema of a script for embeddings: `provider_options.echo`. docs/echo.md has a row for each field. */
export const embeddingScript = z.strictObject({
  delay_ms: milliseconds.default(0),
  fail: z.strictObject(failureFields).optional(),
  stall: z.strictObject({}).optional(),
  usage: z.literal("none").optional(),
});

/** Creates the embeddings of the echo provider. Equal inputs have equal vectors, in every process. */
export function createEchoEmbeddings(provider: string): EmbeddingApi {
  return {
    bounds: () => bounds,
    // Every option is a field of the script.
    contractNames: new Map(),
    checkSupport: () => [],
    async *embed(request, model, context) {
      yield [await embed(request, model, context, provider)];
    },
  };
}

async function embed(
  { inputs, dimensions = echoDimensions, providerOptions }: EmbedRequest,
  model: Model,
  { signal, attempt, onOutput }: AttemptContext,
  provider: string,
): Promise<EmbeddedBatch> {
  const field = ["provider_options", provider];
  const script = parseScript(embeddingScript, providerOptions[provider] ?? {}, field, "message");
  const { delay_ms: delayMs, fail, stall, usage } = script;
  if (delayMs > 0) await setTimeout(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  signal.throwIfAborted();
  if (stall !== undefined) return untilAborted(signal);
  if (fail !== undefined) throw requestedFailure(fail, model, attempt);
  onOutput?.();
  const words = inputs.map(wordsOf);
  const tokens = words.reduce((sum, { length }) => sum + length, 0);
  return {
    vectors: words.map((list) => vectorOf(list, dimensions)),
    ...(usage === undefined && { usage: exactUsage(tokens, 0) }),
  };
}

function wordsOf({ kind }: EmbeddingInput): readonly string[] {
  if (kind.case === "tokenIds") return kind.value.ids.map((id) => `#${id}`);
  return kind.value?.match(/\S+/g) ?? [];
}

/**
 * Adds up a direction for each word, and scales the sum to length 1: texts with the same words are near each other. A
 * text without words has the first direction.
 */
function vectorOf(words: readonly string[], dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  for (const word of words) {
    let state = hashOf(word);
    // A few places for each word, so that two words seldom share all of them.
    for (let place = 0; place < 8; place++) {
      state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) >>> 0;
      const at = state % dimensions;
      vector[at] = (vector[at] ?? 0) + (state & 0x10000 ? 1 : -1);
    }
  }
  let square = 0;
  for (const value of vector) square += value * value;
  const norm = Math.sqrt(square);
  if (norm === 0) return vector.fill(1, 0, 1);
  return vector.map((value) => value / norm);
}

/** FNV-1a, 32 bits. */
function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < word.length; index++) hash = Math.imul(hash ^ word.charCodeAt(index), 0x01000193) >>> 0;
  return hash;
}

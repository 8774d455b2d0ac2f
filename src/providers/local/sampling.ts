import { randomInt } from "node:crypto";
import { invalidRequest } from "../../errors.ts";
import type { GenerationParameters } from "../../gen/dragoman/v1/parameters_pb.js";
import {
  type Engine,
  type LlamaModel,
  type SamplingOptions,
  type Token,
  type TokenBias,
  vocabularySize,
} from "./engine.ts";

/** Number of seeds. llama.cpp's seeds have 32 bits, and the last value means "random". */
const seeds = 0xffff_ffff;

/** Returns the seed of the first choice. Further choices add their index, because equal seeds give equal choices. */
export function firstSeed(seed: bigint | undefined): number {
  if (seed === undefined) return randomInt(seeds);
  const bits = BigInt.asUintN(64, seed);
  return Number((bits ^ (bits >> 32n)) % BigInt(seeds));
}

/** Returns the engine's options for one choice. Penalties read `generated`, the response so far, at each token. */
export function samplingOptions(
  parameters: GenerationParameters | undefined,
  seed: number,
  generated: Token[],
  maxOutputTokens: number,
): SamplingOptions {
  const { temperature, topP, topK, minP } = parameters ?? {};
  const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = parameters ?? {};
  const penalizes = repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0;
  return {
    seed: seed % seeds,
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(topK !== undefined && { topK: Math.max(topK, 0) }),
    ...(minP !== undefined && { minP }),
    ...(penalizes && {
      repeatPenalty: {
        punishTokens: () => generated,
        maxPunishTokens: maxOutputTokens,
        penalty: repetitionPenalty,
        presencePenalty,
        frequencyPenalty,
      },
    }),
  };
}

/** Converts `logit_bias`; undefined if it is empty. Throws INVALID_REQUEST for an unknown or end-of-turn token. */
export function tokenBias(
  { module }: Pick<Engine, "module">,
  model: LlamaModel,
  biases: Readonly<Record<string, number>> = {},
): TokenBias | undefined {
  const entries = Object.entries(biases);
  if (entries.length === 0) return undefined;
  const vocabulary = vocabularySize(model);
  const bias = module.TokenBias.for(model);
  for (const [key, logit] of entries) {
    const token = Number(key);
    const field = ["parameters", "logit_bias", { key: token }];
    if (token >= vocabulary)
      throw invalidRequest([{ field, description: `the model's token ids are 0 to ${vocabulary - 1}` }]);
    if (model.isEogToken(token)) {
      throw invalidRequest([
        { field, description: "the local engine does not support a bias of an end-of-turn token; remove it" },
      ]);
    }
    bias.set(token, { logit });
  }
  return bias;
}

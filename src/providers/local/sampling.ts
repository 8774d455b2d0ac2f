import { randomInt } from "node:crypto";
import { invalidRequest } from "../../errors.ts";
import type { GenerationParameters } from "../../gen/dragoman/v1/parameters_pb.js";
import type { Engine, LlamaModel, SamplingOptions, Token, TokenBias } from "./engine.ts";

/** llama.cpp takes 32 bits and keeps the last value for "random". */
const seeds = 0xffff_ffff;

/** The seed of the first choice; the others count on from it, or they would all be the same. */
export function firstSeed(seed: string | undefined): number {
  if (seed === undefined) return randomInt(seeds);
  const bits = BigInt.asUintN(64, BigInt(seed));
  return Number((bits ^ (bits >> 32n)) % BigInt(seeds));
}

/** The engine's options for one choice. `generated` is read at each token: penalties look at the answer so far. */
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

/** Undefined when nothing is biased. */
export function tokenBias(
  { module }: Pick<Engine, "module">,
  model: LlamaModel,
  biases: Readonly<Record<string, number>> = {},
): TokenBias | undefined {
  const entries = Object.entries(biases);
  if (entries.length === 0) return undefined;
  const vocabulary = model.fileInfo.metadata.tokenizer?.ggml?.tokens?.length ?? Number.MAX_SAFE_INTEGER;
  const bias = module.TokenBias.for(model);
  for (const [key, logit] of entries) {
    const token = Number(key);
    const field = ["parameters", "logit_bias", { key: token }];
    if (token >= vocabulary) throw invalidRequest([{ field, description: `the model has ${vocabulary} tokens` }]);
    if (model.isEogToken(token)) {
      throw invalidRequest([{ field, description: "the engine cannot bias the token that ends a turn" }]);
    }
    bias.set(token, { logit });
  }
  return bias;
}

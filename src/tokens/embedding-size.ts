import { create } from "@bufbuild/protobuf";
import type { EmbeddingInput, EmbedRequest } from "../gen/dragoman/v1/embedding_service_pb.js";
import { type Usage, UsageQuality, UsageSchema } from "../gen/dragoman/v1/usage_pb.js";
import type { RequestSize } from "./request-size.ts";
import { estimateTokens, type VocabularySize } from "./token-estimate.ts";

export function sizeOfEmbedding({ model, inputs }: EmbedRequest): RequestSize {
  const sum = (count: (text: string) => number): number =>
    inputs.reduce((total, input) => total + tokensOf(input, count), 0);
  return {
    model,
    serviceTier: "",
    choices: 1,
    prompts: inputs.length,
    maxOutputTokens: 0,
    mostTokens: () => sum((text) => 3 * text.length),
    mostBytes: () => sum((text) => Buffer.byteLength(text)),
    estimate: (size) => sum((text) => estimateTokens(text, size)),
  };
}

/** Estimates the tokens of an input. The tokens of token ids are known. */
export function estimateInputTokens(input: EmbeddingInput, size?: VocabularySize): number {
  return tokensOf(input, (text) => estimateTokens(text, size));
}

/** Estimates the tokens of all inputs. */
export function estimateEmbeddingTokens(inputs: readonly EmbeddingInput[]): number {
  return inputs.reduce((total, input) => total + estimateInputTokens(input), 0);
}

/** Estimates usage, for providers that report none. */
export function estimateEmbeddingUsage(inputs: readonly EmbeddingInput[], quality: UsageQuality): Usage {
  const inputTokens = estimateEmbeddingTokens(inputs);
  return create(UsageSchema, { inputTokens, totalTokens: inputTokens, quality });
}

/** Completes a reported usage: an estimate replaces an input count that the provider did not report. */
export function completeEmbeddingUsage(usage: Usage | undefined, inputs: readonly EmbeddingInput[]): Usage {
  if (usage === undefined) return estimateEmbeddingUsage(inputs, UsageQuality.ESTIMATED);
  if (usage.inputTokens > 0) return usage;
  const inputTokens = estimateEmbeddingTokens(inputs);
  return { ...usage, inputTokens, totalTokens: inputTokens, quality: UsageQuality.ESTIMATED };
}

function tokensOf({ kind }: EmbeddingInput, count: (text: string) => number): number {
  switch (kind.case) {
    case "text":
      return count(kind.value);
    case "tokenIds":
      return kind.value.ids.length;
    case undefined:
      return 0;
    default:
      return kind satisfies never;
  }
}

import { type Usage, UsageQuality } from "../../gen/dragoman/v1/usage_pb.js";

type Parts = Partial<
  Omit<Usage, "$typeName" | "$unknown" | "inputTokens" | "outputTokens" | "totalTokens" | "quality">
>;

/** Converts the provider's token counts for a whole call. `input` and `output` include the counts in `parts`. */
export function exactUsage(input: number, output: number, parts: Parts = {}): Usage {
  return {
    $typeName: "dragoman.v1.Usage",
    inputTokens: input,
    outputTokens: output,
    totalTokens: input + output,
    cachedInputTokens: 0,
    cacheWriteInputTokens: 0,
    reasoningTokens: 0,
    acceptedPredictionTokens: 0,
    rejectedPredictionTokens: 0,
    quality: UsageQuality.EXACT,
    ...parts,
  };
}

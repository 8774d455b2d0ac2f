import { type FieldViolation, fieldText, GatewayError, invalidRequest } from "../../errors.ts";
import type { EmbeddingInput } from "../../gen/dragoman/v1/embedding_service_pb.js";
import type { BatchBounds } from "../../providers/embedding-api.ts";
import { estimateBounds } from "../../tokens/counter.ts";
import { estimateInputTokens } from "../../tokens/embedding-size.ts";

/** Inputs of one upstream request. */
export interface Batch {
  /** Index of the first input in the request of the call. */
  readonly start: number;
  readonly inputs: readonly EmbeddingInput[];
}

/**
 * Length of vectors to expect of a model whose length is unknown. That of the largest models of OpenAI and Google.
 */
const unknownDimensions = 3072;

/** Returns bounds that fit each of several targets. */
export function smallestBounds(all: readonly BatchBounds[]): BatchBounds {
  const maxTokens = all.flatMap((bounds) => bounds.maxTokens ?? []);
  return {
    maxInputs: Math.min(...all.map(({ maxInputs }) => maxInputs)),
    maxValues: Math.min(...all.map(({ maxValues }) => maxValues)),
    ...(maxTokens.length > 0 && { maxTokens: Math.min(...maxTokens) }),
  };
}

/**
 * Splits inputs into batches within the bounds, in order. An input that exceeds them alone gets a batch of its own: the
 * provider decides about it.
 *
 * @param dimensions length of the vectors. 0: unknown
 */
export function splitInputs(
  inputs: readonly EmbeddingInput[],
  { maxInputs, maxTokens, maxValues }: BatchBounds,
  dimensions: number,
): readonly Batch[] {
  const most = Math.max(1, Math.min(maxInputs, Math.floor(maxValues / (dimensions || unknownDimensions))));
  const batches: Batch[] = [];
  let start = 0;
  let tokens = 0;
  for (let index = 0; index < inputs.length; index++) {
    const added = maxTokens === undefined ? 0 : mostTokens(inputs[index]);
    const isFull = index - start >= most || (maxTokens !== undefined && tokens + added > maxTokens);
    if (isFull && index > start) {
      batches.push({ start, inputs: inputs.slice(start, index) });
      [start, tokens] = [index, 0];
    }
    tokens += added;
  }
  if (start < inputs.length) batches.push({ start, inputs: inputs.slice(start) });
  return batches;
}

/** Returns the failure of a batch, whose fields name inputs by their index in the request of the call. */
export function inCall(failure: unknown, { start }: Batch): unknown {
  if (!(failure instanceof GatewayError) || failure.facts.fields === undefined || start === 0) return failure;
  const { fields: inBatch } = failure.facts;
  const fields: readonly FieldViolation[] = inBatch.map((violation) => {
    const [name, index, ...rest] = violation.field;
    return name === "inputs" && typeof index === "number"
      ? { ...violation, field: [name, start + index, ...rest] }
      : violation;
  });
  const messageWith =
    failure.reason === "INVALID_REQUEST" ? (all: typeof fields) => invalidRequest(all).message : describe;
  return failure.with({ fields }, failure.message === messageWith(inBatch) ? messageWith(fields) : failure.message);
}

function describe(violations: readonly FieldViolation[]): string {
  return violations.map((violation) => `${fieldText(violation)}: ${violation.description}`).join("; ");
}

/** Returns an upper bound of the tokens of texts that people and programs write. */
function mostTokens(input: EmbeddingInput | undefined): number {
  if (input === undefined) return 0;
  const tokens = estimateInputTokens(input);
  return input.kind.case === "tokenIds" ? tokens : estimateBounds(tokens).high;
}

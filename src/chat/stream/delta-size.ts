import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";

/** Size of a delta or of one token's log probability without its content, in bytes: about what it takes in memory. */
const itemBytes = 64;

/**
 * Returns the size of a delta in bytes: its content, and a fixed size for the delta and for each log probability. Each
 * character counts as one byte, which is what most text takes in V8.
 */
export function deltaSize({ providerState, logprobs }: PartDelta, characters: number): number {
  let size = itemBytes + characters + (providerState?.data.length ?? 0);
  if (logprobs) for (const { topLogprobs } of logprobs.tokens) size += itemBytes * (1 + topLogprobs.length);
  return size;
}

/** Returns the number of characters (UTF-16 units) of output in a delta. */
export function deltaLength(delta: Exclude<PartDelta["delta"], { case: undefined }>): number {
  switch (delta.case) {
    case "text":
    case "refusal":
      return delta.value.length;
    case "reasoning":
      return delta.value.text.length;
    case "toolCall":
      return delta.value.name.length + delta.value.argumentsJson.length;
    default:
      return delta satisfies never;
  }
}

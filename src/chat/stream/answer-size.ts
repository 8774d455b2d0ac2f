import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import type { ChatEvent } from "./events.ts";

/** Size of a delta or of one token's log probability without its content, in bytes: about what it takes in memory. */
const itemBytes = 64;

/** Returns the size in bytes of the deltas in a batch: their content, and a fixed size for each delta and logprob. */
export function answerSize(batch: readonly ChatEvent[]): number {
  let size = 0;
  for (const event of batch) if (event.case === "delta") size += deltaSize(event.value);
  return size;
}

function deltaSize({ delta, providerState, logprobs }: PartDelta): number {
  let size = itemBytes + contentSize(delta) + (providerState?.data.length ?? 0);
  for (const { topLogprobs } of logprobs?.tokens ?? []) size += itemBytes * (1 + topLogprobs.length);
  return size;
}

/** Counts UTF-16 units as bytes: V8 holds most text in one byte per unit. */
function contentSize(delta: PartDelta["delta"]): number {
  switch (delta.case) {
    case "text":
    case "refusal":
      return delta.value.length;
    case "reasoning":
      return delta.value.text.length;
    case "toolCall":
      return delta.value.name.length + delta.value.argumentsJson.length;
    case undefined:
      return 0;
    default:
      return delta satisfies never;
  }
}

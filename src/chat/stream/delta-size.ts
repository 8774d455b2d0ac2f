import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { ChoiceFinished, PartDelta } from "../../gen/dragoman/v1/stream_pb.js";

/** Size of a delta or of one token's log probability without its content, in bytes: about what it takes in memory. */
const itemBytes = 64;

/**
 * Returns the size of a delta in bytes: its content, and a fixed size for the delta and for each log probability. Each
 * character counts as one byte, which is what most text takes in V8.
 */
export function deltaSize({ delta, providerState, logprobs }: PartDelta, characters: number): number {
  let size = itemBytes + characters + (providerState?.data.length ?? 0) + sizeBesides(delta);
  if (logprobs) for (const { topLogprobs } of logprobs.tokens) size += itemBytes * (1 + topLogprobs.length);
  return size;
}

/** Returns the size of the content of a delta that is not output of the model in characters. */
function sizeBesides(delta: PartDelta["delta"]): number {
  if (delta.case === "media") return delta.value.source.value?.length ?? 0;
  return delta.case === "citation" ? citationSize(delta.value) : 0;
}

function citationSize({ citedText, source, providerState }: Citation): number {
  let size = itemBytes + citedText.length + (providerState?.data.length ?? 0);
  if (source.case !== undefined) size += itemBytes + source.value.title.length;
  if (source.case === "url") size += source.value.url.length;
  return size;
}

/** Returns the size of the output that only the end of a choice has, in bytes. */
export function finishedSize({ sources, providerMetadataJson }: ChoiceFinished): number {
  let size = providerMetadataJson.length;
  for (const source of sources) size += citationSize(source);
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
    case "serverToolCall":
      return delta.value.name.length + delta.value.inputJson.length;
    case "serverToolResult":
      return delta.value.outputJson.length;
    case "media":
      return delta.value.transcript.length;
    case "citation":
      return 0;
    default:
      return delta satisfies never;
  }
}

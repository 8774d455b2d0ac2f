import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import type { ChatEvent } from "./events.ts";
import { joinStates } from "./fold.ts";

/**
 * Coalesces consecutive deltas of the same part within a batch, which is the data of one read from the upstream. Adds
 * no delay. The completion that `fold.ts` builds from the result is the same as from the batch.
 */
export function coalesce(batch: readonly ChatEvent[]): readonly ChatEvent[] {
  if (batch.length < 2) return batch;
  const joined: ChatEvent[] = [];
  /** The last of `joined`, if it is a copy that can still change. */
  let merged: PartDelta | undefined;
  for (const event of batch) {
    if (merged !== undefined && event.case === "delta" && appendText(merged, event.value)) continue;
    const last = joined.at(-1);
    merged = last?.case === "delta" && event.case === "delta" ? join(last.value, event.value) : undefined;
    if (merged === undefined) joined.push(event);
    else joined[joined.length - 1] = { case: "delta", value: merged };
  }
  return joined;
}

/** Appends a delta that has only text to a text. Returns false if it is no such delta. Most deltas are. */
function appendText(merged: PartDelta, { choiceIndex, partIndex, delta, providerState, logprobs }: PartDelta): boolean {
  if (delta.case !== "text" || merged.delta.case !== "text" || providerState || logprobs) return false;
  if (choiceIndex !== merged.choiceIndex || partIndex !== merged.partIndex) return false;
  merged.delta.value += delta.value;
  return true;
}

/** Returns both deltas as one, or undefined if they belong to different parts. */
function join(first: PartDelta, second: PartDelta): PartDelta | undefined {
  if (first.choiceIndex !== second.choiceIndex || first.partIndex !== second.partIndex) return undefined;
  const delta = joinFragments(first.delta, second.delta);
  if (delta === undefined) return undefined;
  const merged: PartDelta = { ...first, delta };
  if (second.providerState) {
    const states = [first.providerState, second.providerState].filter((known) => known !== undefined);
    merged.providerState = joinStates(states) ?? second.providerState;
  }
  if (second.logprobs) {
    const tokens = [...(first.logprobs?.tokens ?? []), ...second.logprobs.tokens];
    merged.logprobs = { ...second.logprobs, tokens };
  }
  return merged;
}

function joinFragments(first: PartDelta["delta"], second: PartDelta["delta"]): PartDelta["delta"] | undefined {
  if (first.case === "text" && second.case === "text") {
    return { case: "text", value: first.value + second.value };
  }
  if (first.case === "refusal" && second.case === "refusal") {
    return { case: "refusal", value: first.value + second.value };
  }
  if (first.case === "reasoning" && second.case === "reasoning") {
    const { text, redacted } = second.value;
    const value = { ...first.value, text: first.value.text + text, redacted: first.value.redacted || redacted };
    return { case: "reasoning", value };
  }
  if (first.case === "toolCall" && second.case === "toolCall") {
    const value = { ...first.value, argumentsJson: first.value.argumentsJson + second.value.argumentsJson };
    return { case: "toolCall", value };
  }
  if (first.case === "serverToolCall" && second.case === "serverToolCall") {
    const value = { ...first.value, inputJson: first.value.inputJson + second.value.inputJson };
    return { case: "serverToolCall", value };
  }
  if (first.case === "serverToolResult" && second.case === "serverToolResult") {
    const outputJson = first.value.outputJson + second.value.outputJson;
    const isError = first.value.isError || second.value.isError;
    return { case: "serverToolResult", value: { ...first.value, outputJson, isError } };
  }
  // Media and citations stay separate: a delta of media can already have the maximum size.
  return undefined;
}

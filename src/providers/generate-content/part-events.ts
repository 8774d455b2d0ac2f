import { type DeltaEvent, mediaDelta, reasoningDelta, textDelta } from "../../chat/stream/events.ts";
import type { LogProbs } from "../../gen/dragoman/v1/logprobs_pb.js";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { type Metadata, otherFields } from "../kit/metadata.ts";
import { stateOf } from "../kit/provider-state.ts";
import type { Unread } from "../kit/unread.ts";
import type { FunctionCalls } from "./function-calls.ts";
import type { SpokenText } from "./grounding.ts";
import { fileMembers, inlineMembers } from "./read-members.ts";
import { serverToolEvent } from "./server-tools.ts";
import type { ChunkPart } from "./wire.ts";

/** Candidate (Google's word for a choice) in progress. Parts are numbered in the order in which they start. */
export interface ChoiceState {
  parts: number;
  /** Kind of the last part, if the next delta can extend it. */
  open: string | undefined;
  readonly calls: FunctionCalls;
  finishReason: string;
  finishMessage: string;
  readonly texts: SpokenText[];
  readonly metadata: Metadata;
  /** Fields of the grounding, of which a stream sends some in each chunk. */
  grounding: Readonly<Record<string, unknown>>;
  citationMetadata: unknown;
  urlContextMetadata: unknown;
}

/** Facts of a response that its parts need. */
interface PartContext {
  readonly call: UpstreamCall;
  /** Whether the caller requested the reasoning format HIDDEN. Dragoman then omits the reasoning. */
  readonly hideReasoning: boolean;
  readonly unread: Unread;
}

/** Returns the event of a part of candidate `index` that is no function call. Undefined if the part has none. */
export function partEvent(
  answer: PartContext,
  state: ChoiceState,
  index: number,
  part: ChunkPart,
  logprobs: LogProbs | undefined,
): DeltaEvent | undefined {
  const { text, thought, thoughtSignature: signature, functionCall: _, inlineData, fileData, ...rest } = part;
  const tool = serverToolEvent(index, state.parts, part);
  if (tool !== undefined) {
    state.parts++;
    state.open = undefined;
    // Google requires these parts back unchanged.
    tool.value.providerState = stateOf(answer.call, Buffer.from(JSON.stringify(part)));
    return tool;
  }
  for (const [other] of otherFields(rest, new Set())) answer.unread.add(`a part with ${other}`, `candidate ${index}`);
  if (inlineData || fileData) return mediaEvent(answer, state, index, part);
  if (typeof text !== "string" && Object.keys(rest).length > 0) return undefined;
  const kind = thought ? "reasoning" : "text";
  if (thought && answer.hideReasoning) {
    answer.call.hadHiddenOutput ||= Boolean(text);
    return undefined;
  }
  const textLogprobs = thought ? undefined : logprobs;
  if (!text && !signature && textLogprobs === undefined) return undefined;
  // The caller must send a part with a signature back unchanged, so Dragoman does not merge it with other parts.
  // https://ai.google.dev/gemini-api/docs/thought-signatures
  if (state.open !== kind || signature) state.parts++;
  state.open = signature ? undefined : kind;
  const partIndex = state.parts - 1;
  if (text && !thought) spoke(state.texts, partIndex, text);
  const event = thought
    ? reasoningDelta(index, partIndex, text ?? "")
    : textDelta(index, partIndex, text ?? "", textLogprobs);
  return signed(event, answer, signature);
}

function spoke(texts: SpokenText[], part: number, text: string): void {
  const last = texts.at(-1);
  if (last?.part === part) last.text += text;
  else texts.push({ part, text });
}

function mediaEvent(answer: PartContext, state: ChoiceState, index: number, part: ChunkPart): DeltaEvent | undefined {
  const { inlineData, fileData, thought, thoughtSignature: signature } = part;
  answer.unread.addMembers(inlineData, inlineMembers);
  answer.unread.addMembers(fileData, fileMembers);
  if (thought) {
    // Drafts of an image are not the answer.
    answer.unread.add("media of the reasoning", `candidate ${index}`);
    return undefined;
  }
  if (!inlineData) {
    state.open = undefined;
    const source = { case: "url", value: fileData?.fileUri ?? "" } as const;
    const filename = filenameOf(fileData?.displayName);
    const event = mediaDelta(index, state.parts++, { source, mediaType: fileData?.mimeType ?? "", filename });
    return signed(event, answer, signature);
  }
  const { mimeType, data } = inlineData;
  const source = { case: "data", value: Buffer.from(data, "base64") } as const;
  // A stream sends raw audio in pieces.
  const isRaw = /^audio\/(l16|pcm)/i.test(mimeType);
  const isMore = isRaw && state.open === mimeType;
  if (!isMore) state.parts++;
  state.open = isRaw ? mimeType : undefined;
  const named = isMore ? {} : { mediaType: mimeType, filename: filenameOf(inlineData.displayName) };
  return signed(mediaDelta(index, state.parts - 1, { source, ...named }), answer, signature);
}

/** Returns a name with at most as many characters as a request may have. */
function filenameOf(name: string | null | undefined): string {
  return (name ?? "").slice(0, 255).toWellFormed();
}

export function signed(event: DeltaEvent, { call }: PartContext, signature: string | null | undefined): DeltaEvent {
  if (signature) {
    event.value.providerState = stateOf(call, Buffer.from(signature));
  }
  return event;
}

import type { StreamChatResponse } from "../../gen/dragoman/v1/chat_service_pb.js";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { LogProbs } from "../../gen/dragoman/v1/logprobs_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { Profile } from "../../gen/dragoman/v1/profile_pb.js";
import type { ChatCompleted, ChatStarted, ChoiceFinished, PartDelta } from "../../gen/dragoman/v1/stream_pb.js";

/**
 * Event of a chat stream, as sent in `StreamChatResponse.event`. Adapters yield events in batches, one per read from
 * the upstream, so that deltas can be coalesced without delay.
 */
export type ChatEvent = Exclude<StreamChatResponse["event"], { case: undefined }>;

// The functions below run once per token, so they build messages as literals: 0.1 microseconds instead of 0.9 for
// create().

/** Event with a delta. */
export type DeltaEvent = Extract<ChatEvent, { case: "delta" }>;
export type FinishedEvent = Extract<ChatEvent, { case: "finished" }>;

/** Creates the first event of a stream. `calls/run.ts` fills in the id, warnings and effective parameters. */
export function started(): ChatEvent {
  const value: ChatStarted = {
    $typeName: "dragoman.v1.ChatStarted",
    id: "",
    model: "",
    provider: "",
    warnings: [],
    profile: Profile.UNSPECIFIED,
  };
  return { case: "started", value };
}

export function delta(
  choiceIndex: number,
  partIndex: number,
  fragment: Exclude<PartDelta["delta"], { case: undefined }>,
  logprobs?: LogProbs,
): DeltaEvent {
  const value: PartDelta = { $typeName: "dragoman.v1.PartDelta", choiceIndex, partIndex, delta: fragment };
  if (logprobs !== undefined) value.logprobs = logprobs;
  return { case: "delta", value };
}

export function textDelta(choiceIndex: number, partIndex: number, text: string, logprobs?: LogProbs): DeltaEvent {
  return delta(choiceIndex, partIndex, { case: "text", value: text }, logprobs);
}

export function refusalDelta(choiceIndex: number, partIndex: number, text: string, logprobs?: LogProbs): DeltaEvent {
  return delta(choiceIndex, partIndex, { case: "refusal", value: text }, logprobs);
}

export function reasoningDelta(choiceIndex: number, partIndex: number, text: string, logprobs?: LogProbs): DeltaEvent {
  const value = { $typeName: "dragoman.v1.Reasoning", text, redacted: false } as const;
  return delta(choiceIndex, partIndex, { case: "reasoning", value }, logprobs);
}

/** Creates a delta of a tool call. Set `id` and `name` only in the first delta of the call. */
export function toolCallDelta(
  choiceIndex: number,
  partIndex: number,
  argumentsJson: string,
  id = "",
  name = "",
): DeltaEvent {
  const value = { $typeName: "dragoman.v1.ToolCall", id, name, argumentsJson } as const;
  return delta(choiceIndex, partIndex, { case: "toolCall", value });
}

/** Creates a delta of media. Set `mediaType` only in the first delta of the part. */
export function mediaDelta(
  choiceIndex: number,
  partIndex: number,
  fields: Partial<Pick<Media, "source" | "mediaType" | "filename" | "transcript">>,
): DeltaEvent {
  const empty = { source: { case: undefined }, mediaType: "", detail: 0, filename: "", transcript: "" } as const;
  return delta(choiceIndex, partIndex, {
    case: "media",
    value: { $typeName: "dragoman.v1.Media", ...empty, ...fields },
  });
}

/** Creates a delta with a citation of the part that already has this index. */
export function citationDelta(choiceIndex: number, partIndex: number, citation: Citation): DeltaEvent {
  return delta(choiceIndex, partIndex, { case: "citation", value: citation });
}

/** Creates a delta of a call of a tool that the provider runs. */
export function serverToolCallDelta(
  choiceIndex: number,
  partIndex: number,
  inputJson: string,
  id = "",
  name = "",
): DeltaEvent {
  const value = { $typeName: "dragoman.v1.ServerToolCall", id, name, inputJson } as const;
  return delta(choiceIndex, partIndex, { case: "serverToolCall", value });
}

/** Creates a delta of the result of a tool that the provider ran. */
export function serverToolResultDelta(
  choiceIndex: number,
  partIndex: number,
  outputJson: string,
  toolCallId = "",
  isError = false,
): DeltaEvent {
  const value = { $typeName: "dragoman.v1.ServerToolResult", toolCallId, outputJson, isError } as const;
  return delta(choiceIndex, partIndex, { case: "serverToolResult", value });
}

/** Creates the last event of a choice. `facts` has what only some providers send. */
export function finished(
  choiceIndex: number,
  finishReason: FinishReason,
  providerFinishReason: string,
  matchedStopSequence = "",
  facts: Partial<Pick<ChoiceFinished, "sources" | "providerMetadataJson">> = {},
): FinishedEvent {
  return {
    case: "finished",
    value: {
      $typeName: "dragoman.v1.ChoiceFinished",
      choiceIndex,
      finishReason,
      providerFinishReason,
      matchedStopSequence,
      sources: [],
      providerMetadataJson: "",
      ...facts,
    },
  };
}

/** Creates the last event of a stream. `calls/run.ts` fills in the attempts and Dragoman's timings. */
export function completed(facts: Partial<Omit<ChatCompleted, "$typeName" | "$unknown">> = {}): ChatEvent {
  const value: ChatCompleted = {
    $typeName: "dragoman.v1.ChatCompleted",
    warnings: [],
    serviceTier: "",
    systemFingerprint: "",
    attempts: [],
    providerMetadataJson: "",
    ...facts,
  };
  return { case: "completed", value };
}

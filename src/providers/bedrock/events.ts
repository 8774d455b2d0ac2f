import { type ChatEvent, completed, finished, serverToolCallDelta, toolCallDelta } from "../../chat/stream/events.ts";
import { cutAnswer } from "../../upstream/errors.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { choiceEnd } from "../kit/choice-end.ts";
import { readFinishReason } from "../kit/finish-reasons.ts";
import { memberAt, membersOf } from "../kit/json-text.ts";
import { metadataJson } from "../kit/metadata.ts";
import { parseAnswer, parseJson } from "../kit/parse-answer.ts";
import { Unread } from "../kit/unread.ts";
import type { ReportedUsage } from "../kit/usage-reader.ts";
import type { ContentState } from "./block-state.ts";
import { endBlock, extendBlock, startBlock } from "./blocks.ts";
import { bedrockErrors, frameFailure } from "./errors.ts";
import type { Frame } from "./frames.ts";
import { endMetadata, stopMetadata } from "./metadata.ts";
import { plainDelta } from "./plain-delta.ts";
import { extendRarely } from "./rare-deltas.ts";
import { eventMembers } from "./read-members.ts";
import { bedrockUsage, toTimeInfo } from "./usage.ts";
import { payloadSchema } from "./wire.ts";

/** Response in progress. */
interface AnswerState extends ContentState {
  /** Undefined until `messageStop`, which has none in rare cases. */
  stopReason: string | undefined;
  matchedStop: string;
  usage: ReportedUsage | undefined;
  latencyMs: number | undefined;
  serviceTier: string;
  /** Facts about the response that the contract has no fields for. */
  readonly metadata: Record<string, unknown>;
}

export function startAnswer(call: UpstreamCall, hideReasoning: boolean): AnswerState {
  return {
    call,
    hideReasoning,
    blocks: new Map(),
    hidden: new Set(),
    parts: 0,
    stopReason: undefined,
    matchedStop: "",
    usage: undefined,
    latencyMs: undefined,
    serviceTier: "",
    metadata: {},
    unread: new Unread(),
    imageTypes: new Map(),
  };
}

/** Converts one frame and appends the results to `batch`. Throws if the frame is an error. Always returns false. */
export function toEvents(answer: AnswerState, frame: Frame, batch: ChatEvent[]): boolean {
  if (frame.headers[":message-type"] !== "event") throw frameFailure(frame, answer.call);
  const type = String(frame.headers[":event-type"]);
  const known = eventMembers.get(type);
  if (known === undefined) {
    answer.unread.add(`the event ${type}`, "the stream");
    return false;
  }
  const value = parseJson(frame.data, answer.call);
  const plain = type === "contentBlockDelta" ? plainDelta(value) : undefined;
  if (plain !== undefined) {
    extendBlock(answer, plain, batch);
    return false;
  }
  const payload = parseAnswer(value, payloadSchema, answer.call, bedrockErrors);
  answer.unread.addMembers(value, known);
  switch (type) {
    case "contentBlockStart":
      startBlock(answer, payload, frame.data, batch);
      break;
    case "contentBlockDelta":
      extendBlock(answer, payload, batch);
      extendRarely(answer, payload.contentBlockIndex ?? 0, membersOf(memberAt(frame.data, "delta")), batch);
      break;
    case "contentBlockStop":
      endBlock(answer.blocks.get(payload.contentBlockIndex ?? 0), batch);
      break;
    case "messageStop": {
      const { stopReason, additionalModelResponseFields: more } = payload;
      Object.assign(answer.metadata, stopMetadata(value));
      answer.stopReason = stopReason ?? "";
      answer.matchedStop = more?.delta?.stop_sequence ?? more?.stop_sequence ?? "";
      break;
    }
    case "metadata": {
      const { usage, metrics, serviceTier } = payload;
      answer.usage = bedrockUsage.add(answer.usage, usage);
      answer.latencyMs = metrics?.latencyMs ?? undefined;
      answer.serviceTier = serviceTier?.type ?? "";
      Object.assign(answer.metadata, endMetadata(value));
      break;
    }
  }
  // Only the end of the body ends the response: `metadata` may come before or after `messageStop`.
  return false;
}

/** Appends the final events of a response to `batch`. Throws if the stream ended without `messageStop`. */
export function endEvents(answer: AnswerState, batch: ChatEvent[]): void {
  const { call, matchedStop, blocks, serviceTier, latencyMs } = answer;
  const stopReason = answer.stopReason ?? (call.filter === "" ? undefined : "");
  if (stopReason === undefined) throw cutAnswer(call);
  const meaning = readFinishReason(stopReason, call, false);
  for (const block of blocks.values()) {
    endBlock(block, batch);
    const { kind, hasArguments, partIndex } = block;
    if (kind === "toolUse" && !hasArguments) batch.push(toolCallDelta(0, partIndex, "{}"));
    if (kind === "serverCall" && !hasArguments) batch.push(serverToolCallDelta(0, partIndex, "{}"));
  }
  const chosen = { providerMetadataJson: metadataJson(answer.metadata) };
  const end = choiceEnd(finished(0, meaning, stopReason, matchedStop, chosen), call);
  const usage = bedrockUsage.toUsage(answer.usage);
  const facts = {
    ...(usage && { usage }),
    ...(latencyMs !== undefined && { timeInfo: toTimeInfo(latencyMs) }),
  };
  batch.push(end, completed({ serviceTier, warnings: answer.unread.warnings, ...facts }));
}

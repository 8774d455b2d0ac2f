import { type ChatEvent, completed, finished, serverToolCallDelta, toolCallDelta } from "../../chat/stream/events.ts";
import { cutAnswer } from "../../upstream/errors.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { choiceEnd } from "../kit/choice-end.ts";
import { readFinishReason } from "../kit/finish-reasons.ts";
import { metadataJson } from "../kit/metadata.ts";
import { parseAnswer, parseJson } from "../kit/parse-answer.ts";
import { Unread } from "../kit/unread.ts";
import type { ReportedUsage } from "../kit/usage-reader.ts";
import type { ContentState } from "./block-state.ts";
import { endBlock, extendBlock, startBlock } from "./blocks.ts";
import { bedrockErrors, frameFailure } from "./errors.ts";
import type { Frame } from "./frames.ts";
import { endMetadata, stopMetadata } from "./metadata.ts";
import { bedrockUsage, toTimeInfo } from "./usage.ts";
import { type Payload, payloadSchema } from "./wire.ts";

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
  switch (frame.headers[":event-type"]) {
    case "contentBlockStart":
      startBlock(answer, payloadOf(frame, answer.call), frame.payload, batch);
      break;
    case "contentBlockDelta":
      extendBlock(answer, payloadOf(frame, answer.call), frame.payload, batch);
      break;
    case "contentBlockStop":
      endBlock(answer.blocks.get(payloadOf(frame, answer.call).contentBlockIndex ?? 0), batch);
      break;
    case "messageStop": {
      const { stopReason, additionalModelResponseFields: more } = payloadOf(frame, answer.call);
      Object.assign(answer.metadata, stopMetadata(parseJson(frame.payload, answer.call)));
      answer.stopReason = stopReason ?? "";
      answer.matchedStop = more?.delta?.stop_sequence ?? more?.stop_sequence ?? "";
      break;
    }
    case "metadata": {
      const { usage, metrics, serviceTier } = payloadOf(frame, answer.call);
      answer.usage = bedrockUsage.add(answer.usage, usage);
      answer.latencyMs = metrics?.latencyMs ?? undefined;
      answer.serviceTier = serviceTier?.type ?? "";
      Object.assign(answer.metadata, endMetadata(parseJson(frame.payload, answer.call)));
      break;
    }
    // Contains nothing that Dragoman reads.
    case "messageStart":
      break;
    default:
      answer.unread.add(`the event ${frame.headers[":event-type"]}`, "the stream");
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

function payloadOf({ payload }: Frame, call: UpstreamCall): Payload {
  return parseAnswer(parseJson(payload, call), payloadSchema, call, bedrockErrors);
}

import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  type ChatEvent,
  completed,
  finished,
  reasoningDelta,
  textDelta,
  toolCallDelta,
} from "../../chat/stream/events.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import { lookUp } from "../../look-up.ts";
import { cutAnswer, malformedAnswer } from "../../upstream/errors.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { failedAnswer, toolCallFailure } from "../kit/errors.ts";
import { parseAnswer, parseJson } from "../kit/parse-answer.ts";
import { stateOf } from "../kit/provider-state.ts";
import { exactUsage } from "../kit/usage.ts";
import { bedrockErrors, frameFailure } from "./errors.ts";
import type { Frame } from "./frames.ts";
import { type Payload, type PayloadUsage, payloadSchema } from "./wire.ts";

const finishReasons: Readonly<Record<string, FinishReason>> = {
  end_turn: FinishReason.STOP,
  stop_sequence: FinishReason.STOP,
  max_tokens: FinishReason.LENGTH,
  model_context_window_exceeded: FinishReason.LENGTH,
  tool_use: FinishReason.TOOL_CALLS,
  content_filtered: FinishReason.CONTENT_FILTER,
  guardrail_intervened: FinishReason.CONTENT_FILTER,
};

/** Stop reasons that are failures. */
const failures: ReadonlySet<string> = new Set(["malformed_model_output"]);

/** Content block in progress. */
interface BlockState {
  readonly kind: "text" | "reasoning" | "redacted" | "toolUse" | "omitted";
  readonly partIndex: number;
  /** Tool calls only: whether a delta with arguments has arrived. */
  hasArguments: boolean;
}

/** Response in progress. */
interface AnswerState {
  readonly call: UpstreamCall;
  /** Whether the caller requested the reasoning format HIDDEN. Dragoman then omits the reasoning text. */
  readonly hideReasoning: boolean;
  /** Blocks by Bedrock's index. Deltas of several blocks may interleave. */
  readonly blocks: Map<number, BlockState>;
  /** Indexes of the blocks whose reasoning text Dragoman omitted. */
  readonly hidden: Set<number>;
  /** Number of parts so far. */
  parts: number;
  stopReason: string;
  matchedStop: string;
  usage: PayloadUsage | undefined;
  latencyMs: number | undefined;
  serviceTier: string;
}

export function startAnswer(call: UpstreamCall, hideReasoning: boolean): AnswerState {
  return {
    call,
    hideReasoning,
    blocks: new Map(),
    hidden: new Set(),
    parts: 0,
    stopReason: "",
    matchedStop: "",
    usage: undefined,
    latencyMs: undefined,
    serviceTier: "",
  };
}

/** Converts one frame and appends the results to `batch`. Throws if the frame is an error. Always returns false. */
export function toEvents(answer: AnswerState, frame: Frame, batch: ChatEvent[]): boolean {
  if (frame.headers[":message-type"] !== "event") throw frameFailure(frame, answer.call);
  switch (frame.headers[":event-type"]) {
    case "contentBlockStart":
      startBlock(answer, payloadOf(frame, answer.call), batch);
      break;
    case "contentBlockDelta":
      extendBlock(answer, payloadOf(frame, answer.call), batch);
      break;
    case "messageStop": {
      const { stopReason, additionalModelResponseFields: more } = payloadOf(frame, answer.call);
      answer.stopReason = stopReason ?? "";
      answer.matchedStop = more?.delta?.stop_sequence ?? more?.stop_sequence ?? "";
      break;
    }
    case "metadata": {
      const { usage, metrics, serviceTier } = payloadOf(frame, answer.call);
      answer.usage = usage ?? answer.usage;
      answer.latencyMs = metrics?.latencyMs ?? undefined;
      answer.serviceTier = serviceTier?.type ?? "";
      break;
    }
    // `messageStart` and `contentBlockStop` contain nothing that Dragoman reads. Unknown events are ignored.
  }
  // Only the end of the body ends the response: `metadata` may come before or after `messageStop`.
  return false;
}

/** Appends the final events of a response to `batch`. Throws if the stream ended without a stop reason. */
export function endEvents(answer: AnswerState, batch: ChatEvent[]): void {
  const { call, stopReason, matchedStop, blocks, usage, serviceTier, latencyMs } = answer;
  if (stopReason === "") throw cutAnswer(call);
  if (stopReason === "malformed_tool_use") throw toolCallFailure(call, stopReason, "");
  if (failures.has(stopReason)) throw failedAnswer(call, "PROVIDER_FAULT", stopReason);
  for (const { kind, hasArguments, partIndex } of blocks.values()) {
    if (kind === "toolUse" && !hasArguments) batch.push(toolCallDelta(0, partIndex, "{}"));
  }
  batch.push(finished(0, lookUp(finishReasons, stopReason) ?? FinishReason.OTHER, stopReason, matchedStop));
  const facts = {
    ...(usage && { usage: toUsage(usage) }),
    ...(latencyMs !== undefined && { timeInfo: toTimeInfo(latencyMs) }),
  };
  batch.push(completed({ serviceTier, ...facts }));
}

function payloadOf({ payload }: Frame, call: UpstreamCall): Payload {
  return parseAnswer(parseJson(payload, call), payloadSchema, call, bedrockErrors);
}

/** Starts a tool call; other blocks have no start. Omits calls of Amazon's own tools, which Amazon runs itself. */
function startBlock(answer: AnswerState, { contentBlockIndex, start }: Payload, batch: ChatEvent[]): void {
  const toolUse = start?.toolUse;
  if (!toolUse) return;
  const isCallers = (toolUse.type ?? "tool_use") === "tool_use";
  const block = blockAt(answer, contentBlockIndex ?? 0, isCallers ? "toolUse" : "omitted");
  if (isCallers) batch.push(toolCallDelta(0, block.partIndex, "", toolUse.toolUseId, toolUse.name));
}

function extendBlock(answer: AnswerState, { contentBlockIndex, delta }: Payload, batch: ChatEvent[]): void {
  const index = contentBlockIndex ?? 0;
  if (delta?.text) {
    batch.push(textDelta(0, blockAt(answer, index, "text").partIndex, delta.text));
  }
  if (delta?.toolUse?.input) {
    const block = answer.blocks.get(index);
    if (block === undefined) throw malformedAnswer(answer.call, "a tool call has no name");
    if (block.kind === "toolUse") {
      block.hasArguments = true;
      batch.push(toolCallDelta(0, block.partIndex, delta.toolUse.input));
    } else {
      answer.call.hadHiddenOutput = true;
    }
  }
  if (delta?.reasoningContent) reasoningEvents(answer, index, delta.reasoningContent, batch);
}

type ReasoningDelta = NonNullable<NonNullable<Payload["delta"]>["reasoningContent"]>;

function reasoningEvents(
  answer: AnswerState,
  index: number,
  { text, signature, redactedContent }: ReasoningDelta,
  batch: ChatEvent[],
): void {
  if (text && answer.hideReasoning) {
    answer.hidden.add(index);
    answer.call.hadHiddenOutput = true;
  } else if (text) {
    batch.push(reasoningDelta(0, blockAt(answer, index, "reasoning").partIndex, text));
  }
  // If Dragoman omitted the text, it drops the signature too, which is useless without that text. If Claude omitted the
  // text, the signature is for the empty text, and Dragoman keeps it.
  if (signature && !answer.hidden.has(index)) {
    const event = reasoningDelta(0, blockAt(answer, index, "reasoning").partIndex, "");
    event.value.providerState = stateOf(answer.call, Buffer.from(signature));
    batch.push(event);
  }
  if (redactedContent) {
    const event = reasoningDelta(0, blockAt(answer, index, "redacted").partIndex, "");
    if (event.value.delta.case === "reasoning") event.value.delta.value.redacted = true;
    event.value.providerState = stateOf(answer.call, Buffer.from(redactedContent, "base64"));
    batch.push(event);
  }
}

/** Returns the block at an index. Starts a new part if the index is new or the block's kind changed. */
function blockAt(answer: AnswerState, index: number, kind: BlockState["kind"]): BlockState {
  const known = answer.blocks.get(index);
  if (known?.kind === kind) return known;
  const block = { kind, partIndex: kind === "omitted" ? -1 : answer.parts++, hasArguments: false };
  answer.blocks.set(index, block);
  return block;
}

/** Converts usage. Amazon's `inputTokens` excludes cache reads and writes; `Usage.input_tokens` includes them. */
function toUsage(usage: PayloadUsage): Usage {
  const cached = usage.cacheReadInputTokens ?? usage.cacheReadInputTokenCount;
  const written = usage.cacheWriteInputTokens ?? usage.cacheWriteInputTokenCount;
  const input = (usage.inputTokens ?? 0) + (cached ?? 0) + (written ?? 0);
  return exactUsage(input, usage.outputTokens ?? 0, { cachedInputTokens: cached, cacheWriteInputTokens: written });
}

function toTimeInfo(latencyMs: number) {
  return { $typeName: "dragoman.v1.TimeInfo", providerDuration: durationFromMs(Math.round(latencyMs)) } as const;
}

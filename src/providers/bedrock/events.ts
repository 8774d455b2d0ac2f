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
import { failedAnswer } from "../kit/errors.ts";
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
const failures: ReadonlySet<string> = new Set(["malformed_model_output", "malformed_tool_use"]);

/** A content block as far as it has come. */
interface BlockState {
  readonly kind: "text" | "reasoning" | "redacted" | "toolUse" | "left out";
  readonly partIndex: number;
  /** Whether arguments of a tool call came. */
  hasArguments: boolean;
}

/** An answer as far as it has come. */
interface AnswerState {
  readonly call: UpstreamCall;
  /** Leaves the text of the reasoning out. */
  readonly hideReasoning: boolean;
  /** By their index at Amazon: they may interleave. */
  readonly blocks: Map<number, BlockState>;
  /** The indexes of blocks whose text was left out. */
  readonly hidden: Set<number>;
  /** Parts so far, in the order in which they began. */
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

/** Appends the events of one frame to a batch. Throws when the frame is a failure. True: the answer is over. */
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
    // messageStart and contentBlockStop say nothing more; other events are newer than this.
  }
  // Not before the end of the body: metadata come before or after the stop.
  return false;
}

/** Appends the events of the end of an answer. Throws when it was not finished: then it was cut. */
export function endEvents(answer: AnswerState, batch: ChatEvent[]): void {
  const { call, stopReason, matchedStop, blocks, usage, serviceTier, latencyMs } = answer;
  if (stopReason === "") throw cutAnswer(call);
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

/** Only tool calls begin with a start. Amazon's own tools run there: their calls are not the caller's. */
function startBlock(answer: AnswerState, { contentBlockIndex, start }: Payload, batch: ChatEvent[]): void {
  const toolUse = start?.toolUse;
  if (!toolUse) return;
  const isCallers = (toolUse.type ?? "tool_use") === "tool_use";
  const block = blockAt(answer, contentBlockIndex ?? 0, isCallers ? "toolUse" : "left out");
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
  } else if (text) {
    batch.push(reasoningDelta(0, blockAt(answer, index, "reasoning").partIndex, text));
  }
  // A signature is of no use without the text that it signs. Text that Claude itself left out was signed as empty.
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

/** The block at an index, which begins a part when it is new or has another kind than what was there. */
function blockAt(answer: AnswerState, index: number, kind: BlockState["kind"]): BlockState {
  const known = answer.blocks.get(index);
  if (known?.kind === kind) return known;
  const block = { kind, partIndex: kind === "left out" ? -1 : answer.parts++, hasArguments: false };
  answer.blocks.set(index, block);
  return block;
}

/** The counts with totals that contain their parts: Amazon counts what the cache gave or took beside the input. */
function toUsage(usage: PayloadUsage): Usage {
  const cached = usage.cacheReadInputTokens ?? usage.cacheReadInputTokenCount ?? 0;
  const written = usage.cacheWriteInputTokens ?? usage.cacheWriteInputTokenCount ?? 0;
  const input = (usage.inputTokens ?? 0) + cached + written;
  return exactUsage(input, usage.outputTokens ?? 0, { cachedInputTokens: cached, cacheWriteInputTokens: written });
}

function toTimeInfo(latencyMs: number) {
  return { $typeName: "dragoman.v1.TimeInfo", providerDuration: durationFromMs(Math.round(latencyMs)) } as const;
}

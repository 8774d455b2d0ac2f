import { randomUUID } from "node:crypto";
import {
  type ChatEvent,
  completed,
  type DeltaEvent,
  finished,
  reasoningDelta,
  textDelta,
  toolCallDelta,
} from "../../chat/stream/events.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import { lookUp } from "../../look-up.ts";
import { cutAnswer, malformedAnswer } from "../../upstream/errors.ts";
import type { ServerSentEvent } from "../../upstream/sse.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { locateError } from "../kit/error-body.ts";
import { embeddedFailure } from "../kit/errors.ts";
import { parseAnswer, parseJson } from "../kit/parse-answer.ts";
import { stateOf } from "../kit/provider-state.ts";
import { exactUsage, toolRequests } from "../kit/usage.ts";
import { anthropicErrors } from "./errors.ts";
import { type StreamBlock, type StreamDelta, type StreamUsage, streamEventSchema } from "./wire.ts";

const finishReasons: Readonly<Record<string, FinishReason>> = {
  end_turn: FinishReason.STOP,
  stop_sequence: FinishReason.STOP,
  max_tokens: FinishReason.LENGTH,
  model_context_window_exceeded: FinishReason.LENGTH,
  tool_use: FinishReason.TOOL_CALLS,
  refusal: FinishReason.CONTENT_FILTER,
};

/** Content block in progress. `part` is the index of its part, set at the first delta. */
interface BlockState {
  readonly type: string;
  part: number | undefined;
  /** Tool calls only: the input in `content_block_start`. */
  readonly input: unknown;
  /** Tool calls only: whether a delta with arguments has arrived. */
  hasInput: boolean;
}

/** Response in progress. */
interface AnswerState {
  readonly call: UpstreamCall;
  /** Blocks by the API's index, which also counts blocks that Dragoman ignores, such as those of Anthropic's tools. */
  readonly blocks: Map<number, BlockState>;
  parts: number;
  usage: StreamUsage | undefined;
  stopReason: string;
  stopSequence: string;
}

export function startAnswer(call: UpstreamCall): AnswerState {
  return { call, blocks: new Map(), parts: 0, usage: undefined, stopReason: "", stopSequence: "" };
}

/** Converts one SSE event and appends the results to `batch`. Returns true at the end of the response. */
export function toEvents(answer: AnswerState, { data }: ServerSentEvent, batch: ChatEvent[]): boolean {
  const { call } = answer;
  const {
    type,
    message,
    index = 0,
    content_block: block,
    delta,
    usage,
  } = parseAnswer(parseJson(data, call), streamEventSchema, call, anthropicErrors);
  switch (type) {
    case "message_start":
      beginMessage(answer, message?.id ?? "");
      mergeUsage(answer, message?.usage);
      break;
    case "content_block_start":
      if (block !== undefined) beginBlock(answer, index, block, batch);
      break;
    case "content_block_delta":
      if (delta !== undefined) extendBlock(answer, answer.blocks.get(index), delta, batch);
      break;
    case "content_block_stop":
      endBlock(answer.blocks.get(index), batch);
      break;
    case "message_delta":
      answer.stopReason = delta?.stop_reason ?? answer.stopReason;
      answer.stopSequence = delta?.stop_sequence ?? answer.stopSequence;
      mergeUsage(answer, usage);
      break;
    case "message_stop":
      return true;
    case "error":
      throw embeddedFailure(locateError(data, anthropicErrors.read), call, anthropicErrors);
  }
  return false;
}

/** Appends the final events of a response to `batch`. Throws if the stream ended without a stop reason. */
export function endEvents({ call, blocks, usage, stopReason, stopSequence }: AnswerState, batch: ChatEvent[]): void {
  if (stopReason === "") throw cutAnswer(call);
  for (const block of blocks.values()) endBlock(block, batch);
  batch.push(finished(0, lookUp(finishReasons, stopReason) ?? FinishReason.OTHER, stopReason, stopSequence));
  const total = usage && toUsage(usage);
  batch.push(completed({ serviceTier: usage?.service_tier ?? "", ...(total && { usage: total }) }));
}

/** Starts a message. A proxy may send a second `message_start`: if its id is new, its blocks replace those so far. */
function beginMessage({ call, blocks }: AnswerState, id: string): void {
  if (id !== call.attempt.providerResponseId) blocks.clear();
  call.attempt.providerResponseId = id;
}

function beginBlock(answer: AnswerState, index: number, block: StreamBlock, batch: ChatEvent[]): void {
  const known = answer.blocks.get(index);
  if (known !== undefined) endBlock(known, batch);
  const state: BlockState = { type: block.type, part: undefined, input: block.input, hasInput: false };
  answer.blocks.set(index, state);
  if (block.type === "tool_use") {
    if (!block.name) throw malformedAnswer(answer.call, "a tool call has no name");
    const id = block.id || `toolu_${randomUUID().replaceAll("-", "")}`;
    batch.push(toolCallDelta(0, partOf(answer, state), "", id, block.name));
  } else if (block.type === "redacted_thinking") {
    batch.push(stateDelta(answer, state, block.data ?? "", true));
  } else {
    // `content_block_start` may already contain text, which is usually empty.
    extendBlock(answer, state, { text: block.text, thinking: block.thinking, signature: block.signature }, batch);
  }
}

function extendBlock(
  answer: AnswerState,
  state: BlockState | undefined,
  { text, thinking, signature, partial_json }: StreamDelta,
  batch: ChatEvent[],
): void {
  switch (state?.type) {
    case "text":
      if (text) batch.push(textDelta(0, partOf(answer, state), text));
      break;
    case "thinking":
      if (thinking) batch.push(reasoningDelta(0, partOf(answer, state), thinking));
      if (signature) batch.push(stateDelta(answer, state, signature, false));
      break;
    case "tool_use":
      if (!partial_json) break;
      state.hasInput = true;
      batch.push(toolCallDelta(0, partOf(answer, state), partial_json));
      break;
  }
}

/** Completes a tool call that had no arguments delta: its arguments are the input in `content_block_start`. */
function endBlock(state: BlockState | undefined, batch: ChatEvent[]): void {
  if (state?.type !== "tool_use" || state.part === undefined || state.hasInput) return;
  state.hasInput = true;
  batch.push(toolCallDelta(0, state.part, JSON.stringify(state.input ?? {})));
}

function partOf(answer: AnswerState, state: BlockState): number {
  state.part ??= answer.parts++;
  return state.part;
}

/** Returns a delta with the provider state for the next turn: a signature, or the data of redacted thinking. */
function stateDelta(answer: AnswerState, state: BlockState, data: string, redacted: boolean): DeltaEvent {
  const event = reasoningDelta(0, partOf(answer, state), "");
  if (event.value.delta.case === "reasoning") event.value.delta.value.redacted = redacted;
  event.value.providerState = stateOf(answer.call, Buffer.from(data));
  return event;
}

/** Merges cumulative usage counts: later values replace earlier ones, and omitted fields keep their value. */
function mergeUsage(answer: AnswerState, usage: StreamUsage | null | undefined): void {
  const reported = Object.entries(usage ?? {}).filter(([, value]) => value !== undefined && value !== null);
  if (reported.length > 0) answer.usage = { ...answer.usage, ...Object.fromEntries(reported) };
}

/** Converts usage. Anthropic's `input_tokens` excludes cache reads and writes; `Usage.input_tokens` includes them. */
function toUsage(usage: StreamUsage): Usage | undefined {
  const { input_tokens: fresh, output_tokens: output } = usage;
  if (typeof fresh !== "number" || typeof output !== "number") return undefined;
  const { cache_read_input_tokens: cached, cache_creation_input_tokens: written } = usage;
  return exactUsage(fresh + (cached ?? 0) + (written ?? 0), output, {
    cachedInputTokens: cached,
    cacheWriteInputTokens: written,
    cacheWrite1hInputTokens: usage.cache_creation?.ephemeral_1h_input_tokens,
    reasoningTokens: usage.output_tokens_details?.thinking_tokens,
    serverToolRequests: toolRequests(usage.server_tool_use ?? {}),
  });
}

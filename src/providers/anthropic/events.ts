import { randomUUID } from "node:crypto";
import {
  type ChatEvent,
  citationDelta,
  completed,
  type DeltaEvent,
  finished,
  reasoningDelta,
  serverToolCallDelta,
  textDelta,
  toolCallDelta,
} from "../../chat/stream/events.ts";
import { cutAnswer, malformedAnswer } from "../../upstream/errors.ts";
import type { ServerSentEvent } from "../../upstream/sse.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { choiceEnd } from "../kit/choice-end.ts";
import { locateError } from "../kit/error-body.ts";
import { embeddedFailure } from "../kit/errors.ts";
import { readFinishReason } from "../kit/finish-reasons.ts";
import { itemsOf, membersOf } from "../kit/json-text.ts";
import { metadataJson } from "../kit/metadata.ts";
import { parseAnswer, parseJson } from "../kit/parse-answer.ts";
import { stateOf } from "../kit/provider-state.ts";
import { Unread } from "../kit/unread.ts";
import type { ReportedUsage } from "../kit/usage-reader.ts";
import { toCitation } from "./citations.ts";
import { anthropicErrors } from "./errors.ts";
import { deltaMetadata, messageMetadata } from "./metadata.ts";
import { callerState, isServerCall, isServerResult, otherBlock, serverCall, serverResult } from "./server-blocks.ts";
import { anthropicUsage } from "./usage.ts";
import { eventsOfMessage } from "./whole-message.ts";
import { type StreamBlock, type StreamDelta, type StreamUsage, streamEventSchema } from "./wire.ts";

/** Content block in progress. `part` is the index of its part, set at the first delta. */
interface BlockState {
  readonly kind: "text" | "thinking" | "redacted_thinking" | "tool_use" | "server_call" | "server_result" | "other";
  part: number | undefined;
  /** Calls only: the JSON text of the input in `content_block_start`. */
  readonly input: string;
  /** Calls only: whether a delta with input has arrived. */
  hasInput: boolean;
  /** `other` only: the members of the block, which deltas may replace. Empty after the end of the block. */
  readonly held: Map<string, string>;
}

/** Response in progress. */
interface AnswerState {
  readonly call: UpstreamCall;
  /** Whether a message has begun. JSON of another API has no event that begins one. */
  hasBegun: boolean;
  /** Blocks by the API's index. */
  readonly blocks: Map<number, BlockState>;
  parts: number;
  usage: ReportedUsage | undefined;
  serviceTier: string;
  stopReason: string;
  stopSequence: string;
  /** Facts about the response that the contract has no fields for. */
  readonly metadata: Record<string, unknown>;
  readonly unread: Unread;
}

export function startAnswer(call: UpstreamCall): AnswerState {
  const empty = { blocks: new Map(), parts: 0, usage: undefined, serviceTier: "", stopReason: "", stopSequence: "" };
  return { call, hasBegun: false, ...empty, metadata: {}, unread: new Unread() };
}

/** Converts one SSE event and appends the results to `batch`. Returns true at the end of the response. */
export function toEvents(answer: AnswerState, { data }: ServerSentEvent, batch: ChatEvent[]): boolean {
  const { call } = answer;
  const value = parseJson(data, call);
  const event = parseAnswer(value, streamEventSchema, call, anthropicErrors);
  const { type, message, content_block: block, delta, usage } = event;
  const index = event.index ?? 0;
  switch (type) {
    case "message_start":
      answer.hasBegun = true;
      beginMessage(answer, message?.id ?? "");
      addUsage(answer, message?.usage);
      Object.assign(answer.metadata, messageMetadata(value, call.attempt.providerModel));
      break;
    case "content_block_start":
      if (block) beginBlock(answer, index, block, data, batch);
      break;
    case "content_block_delta":
      if (delta) extendBlock(answer, index, delta, data, batch);
      break;
    case "content_block_stop":
      endBlock(answer, answer.blocks.get(index), batch);
      break;
    case "message_delta":
      Object.assign(answer.metadata, deltaMetadata(value));
      answer.stopReason = delta?.stop_reason ?? answer.stopReason;
      answer.stopSequence = delta?.stop_sequence ?? answer.stopSequence;
      addUsage(answer, usage);
      break;
    case "message":
      for (const event of eventsOfMessage(data)) toEvents(answer, { data: event }, batch);
      return true;
    case "message_stop":
      return true;
    case "error":
      throw embeddedFailure(locateError(data, anthropicErrors.read), call, anthropicErrors);
    case "ping":
      break;
    default:
      answer.unread.add(`the event ${type}`, "the stream");
  }
  return false;
}

/** Appends the final events of a response to `batch`. Throws if the stream broke off before its stop reason. */
export function endEvents(answer: AnswerState, batch: ChatEvent[]): void {
  const { call, blocks, serviceTier, stopReason, stopSequence, metadata, unread } = answer;
  const isMessage = answer.hasBegun || blocks.size > 0;
  if (stopReason === "" && call.filter === "" && !(isMessage && call.hasEnd)) throw cutAnswer(call);
  for (const block of blocks.values()) endBlock(answer, block, batch);
  const facts = { providerMetadataJson: metadataJson(metadata) };
  const meaning = readFinishReason(stopReason, call, false);
  const end = choiceEnd(finished(0, meaning, stopReason, stopSequence, facts), call);
  const usage = anthropicUsage.toUsage(answer.usage);
  batch.push(end, completed({ serviceTier, warnings: unread.warnings, ...(usage && { usage }) }));
}

/** Starts a message. A proxy may send a second `message_start`: if its id is new, its blocks replace those so far. */
function beginMessage(answer: AnswerState, id: string): void {
  const { call, blocks } = answer;
  answer.hasBegun = true;
  if (id !== call.attempt.providerResponseId) blocks.clear();
  call.attempt.providerResponseId = id;
}

/** @param data the event as the API sent it */
function beginBlock(answer: AnswerState, index: number, block: StreamBlock, data: string, batch: ChatEvent[]): void {
  const { call } = answer;
  const known = answer.blocks.get(index);
  if (known !== undefined) endBlock(answer, known, batch);
  const kind = kindOf(block.type);
  const hasMembers = kind !== "text" && kind !== "thinking";
  const members = hasMembers ? new Map(membersOf(membersOf(data).get("content_block") ?? "")) : new Map();
  const input = members.get("input") ?? "";
  const held = kind === "other" ? members : new Map();
  const state: BlockState = { kind, part: undefined, input, hasInput: false, held };
  answer.blocks.set(index, state);
  switch (kind) {
    case "tool_use": {
      if (!block.name) throw malformedAnswer(call, "a tool call has no name");
      const id = block.id || `toolu_${randomUUID().replaceAll("-", "")}`;
      const event = toolCallDelta(0, partOf(answer, state), "", id, block.name);
      const caller = callerState(members, call);
      if (caller !== undefined) event.value.providerState = caller;
      batch.push(event);
      break;
    }
    case "server_call":
      batch.push(serverCall(partOf(answer, state), members, call));
      break;
    case "server_result":
      batch.push(serverResult(partOf(answer, state), members, call));
      break;
    case "redacted_thinking":
      batch.push(stateDelta(answer, state, block.data ?? "", true));
      break;
    case "other":
      call.hadHiddenOutput = true;
      break;
    case "text":
    case "thinking":
      // `content_block_start` may already contain content, which is usually empty.
      if (block.text || block.thinking || block.signature) {
        const { text, thinking, signature } = block;
        extendBlock(answer, index, { text, thinking, signature }, data, batch);
      }
      if (block.citations?.length) {
        const content = membersOf(data).get("content_block") ?? "";
        for (const json of itemsOf(membersOf(content).get("citations") ?? "")) addCitation(answer, state, json, batch);
      }
      break;
    default:
      kind satisfies never;
  }
}

function kindOf(type: string): BlockState["kind"] {
  if (type === "text" || type === "thinking" || type === "redacted_thinking" || type === "tool_use") return type;
  if (isServerCall(type)) return "server_call";
  return isServerResult(type) ? "server_result" : "other";
}

/** @param data the event as the API sent it */
function extendBlock(answer: AnswerState, index: number, delta: StreamDelta, data: string, batch: ChatEvent[]): void {
  const { text, thinking, signature, partial_json } = delta;
  const state = answer.blocks.get(index) ?? beginUnannounced(answer, index, delta, data);
  switch (state.kind) {
    case "text":
      if (text) batch.push(textDelta(0, partOf(answer, state), text));
      else extendRarely(answer, index, state, data, batch);
      break;
    case "thinking":
      if (thinking) batch.push(reasoningDelta(0, partOf(answer, state), thinking));
      if (signature) batch.push(stateDelta(answer, state, signature, false));
      if (!thinking && !signature) extendRarely(answer, index, state, data, batch);
      break;
    case "tool_use":
      if (partial_json) {
        state.hasInput = true;
        batch.push(toolCallDelta(0, partOf(answer, state), partial_json));
      } else extendRarely(answer, index, state, data, batch);
      break;
    case "server_call":
      if (partial_json) {
        state.hasInput = true;
        batch.push(serverToolCallDelta(0, partOf(answer, state), partial_json));
      } else extendRarely(answer, index, state, data, batch);
      break;
    case "redacted_thinking":
    case "server_result":
    case "other":
      extendRarely(answer, index, state, data, batch);
      break;
  }
}

/** Begins a block whose `content_block_start` did not come. Some proxies omit it. */
function beginUnannounced(answer: AnswerState, index: number, delta: StreamDelta, data: string): BlockState {
  if (delta.partial_json) throw malformedAnswer(answer.call, "a tool call has no name");
  const isReasoning = Boolean(delta.thinking || delta.signature);
  const isText = Boolean(delta.text) || membersOf(membersOf(data).get("delta") ?? "").has("citation");
  const kind = isReasoning ? "thinking" : isText ? "text" : "other";
  const state: BlockState = { kind, part: undefined, input: "", hasInput: false, held: new Map() };
  // The block of an unknown delta may still begin with a delta of a known type.
  if (kind !== "other") answer.blocks.set(index, state);
  return state;
}

/** Delta types that append to the content of a block, which may be nothing. */
const appending: ReadonlySet<string> = new Set(["text_delta", "input_json_delta", "thinking_delta", "signature_delta"]);

/** Adds a delta that appends nothing: a citation, or the final fields of a block. Reports any other type of delta. */
function extendRarely(answer: AnswerState, index: number, state: BlockState, data: string, batch: ChatEvent[]): void {
  const delta = membersOf(membersOf(data).get("delta") ?? "");
  const type: unknown = JSON.parse(delta.get("type") ?? "null");
  const citation = delta.get("citation");
  if (state.kind === "text" && citation !== undefined && citation !== "null") {
    addCitation(answer, state, citation, batch);
  } else if (state.kind === "other" && (type === "compaction_delta" || type === "signature_delta")) {
    for (const [name, json] of delta) if (name !== "type") state.held.set(name, json);
    answer.call.hadHiddenOutput = true;
  } else if (typeof type === "string" && !(appending.has(type) && hasNoContent(delta))) {
    answer.unread.add(type, `content block ${index}`);
  }
}

/** @param delta the exact JSON text of each member */
function hasNoContent(delta: ReadonlyMap<string, string>): boolean {
  return delta.entries().every(([name, json]) => name === "type" || json === '""' || json === "null");
}

/** Adds a citation to a text. The API may send it before the text. */
function addCitation(answer: AnswerState, state: BlockState, json: string, batch: ChatEvent[]): void {
  if (state.part === undefined) batch.push(textDelta(0, partOf(answer, state), ""));
  batch.push(citationDelta(0, partOf(answer, state), toCitation(json, answer.call)));
}

/**
 * Completes a block: a call that had no input delta has the input in `content_block_start`, and other blocks become a
 * part only here.
 */
function endBlock(answer: AnswerState, state: BlockState | undefined, batch: ChatEvent[]): void {
  if (state === undefined) return;
  if (state.kind === "other" && state.held.size > 0) {
    batch.push(otherBlock(partOf(answer, state), state.held, answer.call));
    state.held.clear();
  }
  const isCall = state.kind === "tool_use" || state.kind === "server_call";
  if (!isCall || state.part === undefined || state.hasInput) return;
  state.hasInput = true;
  const input = state.input === "null" || state.input === "" ? "{}" : state.input;
  batch.push(
    state.kind === "tool_use" ? toolCallDelta(0, state.part, input) : serverToolCallDelta(0, state.part, input),
  );
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

function addUsage(answer: AnswerState, usage: StreamUsage | null | undefined): void {
  answer.usage = anthropicUsage.add(answer.usage, usage);
  answer.serviceTier = usage?.service_tier ?? answer.serviceTier;
}

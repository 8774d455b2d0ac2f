import { randomUUID } from "node:crypto";
import {
  type ChatEvent,
  type DeltaEvent,
  reasoningDelta,
  serverToolCallDelta,
  textDelta,
  toolCallDelta,
} from "../../chat/stream/events.ts";
import { malformedAnswer } from "../../upstream/errors.ts";
import { itemsOf, membersOf } from "../kit/json-text.ts";
import { stateOf } from "../kit/provider-state.ts";
import { type BlockState, type ContentState, partOf } from "./block-state.ts";
import { addCitation, extendRarely } from "./rare-deltas.ts";
import { callerState, isServerCall, isServerResult, otherBlock, serverCall, serverResult } from "./server-blocks.ts";
import type { StreamBlock, StreamDelta } from "./wire.ts";

/** @param data the event as the API sent it */
export function beginBlock(
  answer: ContentState,
  index: number,
  block: StreamBlock,
  data: string,
  batch: ChatEvent[],
): void {
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
export function extendBlock(
  answer: ContentState,
  index: number,
  delta: StreamDelta,
  data: string,
  batch: ChatEvent[],
): void {
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
function beginUnannounced(answer: ContentState, index: number, delta: StreamDelta, data: string): BlockState {
  if (delta.partial_json) throw malformedAnswer(answer.call, "a tool call has no name");
  const isReasoning = Boolean(delta.thinking || delta.signature);
  const isText = Boolean(delta.text) || membersOf(membersOf(data).get("delta") ?? "").has("citation");
  const kind = isReasoning ? "thinking" : isText ? "text" : "other";
  const state: BlockState = { kind, part: undefined, input: "", hasInput: false, held: new Map() };
  // The block of an unknown delta may still begin with a delta of a known type.
  if (kind !== "other") answer.blocks.set(index, state);
  return state;
}

/**
 * Completes a block: a call that had no input delta has the input in `content_block_start`, and other blocks become a
 * part only here.
 */
export function endBlock(answer: ContentState, state: BlockState | undefined, batch: ChatEvent[]): void {
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

/** Returns a delta with the provider state for the next turn: a signature, or the data of redacted thinking. */
function stateDelta(answer: ContentState, state: BlockState, data: string, redacted: boolean): DeltaEvent {
  const event = reasoningDelta(0, partOf(answer, state), "");
  if (event.value.delta.case === "reasoning") event.value.delta.value.redacted = redacted;
  event.value.providerState = stateOf(answer.call, Buffer.from(data));
  return event;
}

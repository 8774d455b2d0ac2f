import { randomUUID } from "node:crypto";
import {
  type ChatEvent,
  type DeltaEvent,
  mediaDelta,
  reasoningDelta,
  serverToolCallDelta,
  serverToolResultDelta,
  toolCallDelta,
} from "../../chat/stream/events.ts";
import { malformedAnswer } from "../../upstream/errors.ts";
import { memberAt, membersOf, objectOf } from "../kit/json-text.ts";
import { parseAnswer } from "../kit/parse-answer.ts";
import { stateOf } from "../kit/provider-state.ts";
import { type AnswerState, type ItemState, partOf, startItem } from "./answer-state.ts";
import { callerCallOf } from "./caller-calls.ts";
import { endMessage } from "./message-content.ts";
import { itemMembers, nameNewMembers } from "./read-members.ts";
import { imageType } from "./replay.ts";
import { inputOf, isServerCall, resultOf } from "./server-calls.ts";
import { type Item, itemSchema } from "./wire.ts";

/**
 * Begins an item, unless it has begun. A call shows at once; other items show with their content. The begin of reasoning
 * is no output: the model may think for minutes before the next event.
 */
export function beginItem(answer: AnswerState, index: number, value: unknown, batch: ChatEvent[]): ItemState {
  const known = answer.items.get(index);
  if (known !== undefined) return known;
  const item = parseAnswer(value, itemSchema, answer.call, answer.errors);
  const state = startItem(item.type, value);
  answer.items.set(index, state);
  if (item.type === "function_call" || item.type === "custom_tool_call") {
    if (!item.name) throw malformedAnswer(answer.call, "a tool call has no name");
    batch.push(toolCallDelta(0, partOf(answer, state), "", callIdOf(item), item.name));
  } else if (isServerCall(item.type)) {
    batch.push(serverToolCallDelta(0, partOf(answer, state), "", item.id ?? "", item.name || item.type));
  }
  return state;
}

/** Begins an item of a delta whose `response.output_item.added` did not come. */
export function itemFor(answer: AnswerState, index: number, type: string): ItemState {
  const known = answer.items.get(index);
  if (known !== undefined) return known;
  const state = startItem(type, undefined);
  answer.items.set(index, state);
  return state;
}

/** Appends the arguments of a call. */
export function extendCall(answer: AnswerState, state: ItemState | undefined, text: string, batch: ChatEvent[]): void {
  if (state?.type !== "function_call" && state?.type !== "custom_tool_call") {
    throw malformedAnswer(answer.call, "a tool call has no name");
  }
  if (text === "") return;
  state.length += text.length;
  batch.push(toolCallDelta(0, partOf(answer, state), text));
}

/** Appends reasoning. `place` tells apart the pieces of the API, which an empty line separates. */
export function extendReasoning(
  answer: AnswerState,
  state: ItemState,
  text: string,
  place: string,
  batch: ChatEvent[],
): void {
  if (text === "") return;
  const isNext = state.length > 0 && state.place !== place;
  state.place = place;
  state.length += text.length;
  if (answer.hideReasoning) answer.call.hadHiddenOutput = true;
  else batch.push(reasoningDelta(0, partOf(answer, state), isNext ? `\n\n${text}` : text));
}

/**
 * Ends an item: appends what no delta had, and the provider state. The end of a response repeats all items.
 *
 * @param json the item as the API sent it
 */
export function endItem(answer: AnswerState, index: number, value: unknown, json: string, batch: ChatEvent[]): void {
  const state = beginItem(answer, index, value, batch);
  if (state.ended !== undefined) {
    nameNewMembers(answer.unread, state.ended, value, state.type);
    return;
  }
  const item = parseAnswer(value, itemSchema, answer.call, answer.errors);
  state.ended = value;
  nameNewMembers(answer.unread, value, state.begun, state.type);
  answer.unread.addMembers(value, itemMembers.get(item.type));
  endKnown(answer, state, item, json, batch);
}

function endKnown(answer: AnswerState, state: ItemState, item: Item, json: string, batch: ChatEvent[]): void {
  const { call } = answer;
  const whole = stateOf(call, Buffer.from(json));
  switch (item.type) {
    case "message":
      endMessage(answer, state, item, json, batch);
      return;
    case "reasoning": {
      if (state.length === 0) {
        const pieces = [...(item.summary ?? []), ...(item.content ?? [])].map(({ text }) => text ?? "");
        for (const [index, text] of pieces.entries()) extendReasoning(answer, state, text, String(index), batch);
      }
      const event = reasoningDelta(0, partOf(answer, state), "");
      event.value.providerState = whole;
      batch.push(event);
      return;
    }
    case "function_call":
    case "custom_tool_call":
      endCall(answer, state, item, json, batch);
      return;
    case imageType:
      endImage(answer, state, item, json, batch);
      return;
    default:
  }
  const caller = callerCallOf(item.type);
  const part = partOf(answer, state);
  if (caller !== undefined) {
    const event = toolCallDelta(0, part, caller.argumentsOf(json), callIdOf(item), caller.name ?? item.name ?? "");
    event.value.providerState = whole;
    batch.push(event);
  } else if (isServerCall(item.type)) {
    const event = serverToolCallDelta(0, part, inputOf(item.type, json));
    event.value.providerState = whole;
    batch.push(event);
    if (item.type === "web_search_call" && memberAt(json, "action", "type") === '"search"') answer.searches++;
    const result = resultOf(item.type, json);
    if (result !== undefined) batch.push(withoutItem(answer, result.json, item.id ?? "", result.isError));
  } else {
    batch.push(withoutItem(answer, json, "", false, part));
  }
}

/** Returns the result of a call, or an item that is no call. The state says only that OpenAI made it. */
function withoutItem(
  answer: AnswerState,
  json: string,
  callId: string,
  isError: boolean,
  part = answer.parts++,
): DeltaEvent {
  const event = serverToolResultDelta(0, part, json, callId, isError);
  event.value.providerState = stateOf(answer.call, Buffer.from("{}"));
  return event;
}

function endCall(answer: AnswerState, state: ItemState, item: Item, json: string, batch: ChatEvent[]): void {
  const isFunction = item.type === "function_call";
  const text = isFunction ? argumentsOf(item, json) : (callerCallOf(item.type)?.argumentsOf(json) ?? "");
  const rest = text.slice(state.length) || (isFunction && state.length === 0 ? "{}" : "");
  const kept = [...membersOf(json)].filter(([name, value]) => keptFields.has(name) && value !== "null");
  const members = kept.filter(([name, value]) => name !== "caller" || memberAt(value, "type") !== '"direct"');
  const isPlain = isFunction && members.length === 0;
  if (rest === "" && isPlain) return;
  const event = toolCallDelta(0, partOf(answer, state), rest);
  const type = ["type", JSON.stringify(item.type)] as const;
  if (!isPlain) event.value.providerState = stateOf(answer.call, Buffer.from(objectOf([type, ...members])));
  batch.push(event);
}

/** Returns the arguments of a function. Some servers send an object instead of its text. */
function argumentsOf({ arguments: given }: Item, json: string): string {
  if (typeof given === "string") return given;
  return (given ?? undefined) === undefined ? "" : memberAt(json, "arguments");
}

/** Fields of calls that must come back and that the contract has no field for. */
const keptFields: ReadonlySet<string> = new Set(["namespace", "caller", "async"]);

/** An image without its bytes failed: its item stays as a whole. */
function endImage(answer: AnswerState, state: ItemState, item: Item, json: string, batch: ChatEvent[]): void {
  const part = partOf(answer, state);
  if (!item.result) {
    batch.push(withoutItem(answer, json, "", true, part));
    return;
  }
  const format = item.output_format ?? "png";
  const event = mediaDelta(0, part, {
    source: { case: "data", value: Buffer.from(item.result, "base64") },
    mediaType: format === "svg" ? "image/svg+xml" : `image/${format}`,
  });
  const members = [...membersOf(json)].filter(([name]) => name !== "result");
  event.value.providerState = stateOf(answer.call, Buffer.from(objectOf(members)));
  batch.push(event);
}

function callIdOf({ call_id, id }: Item): string {
  return call_id || id || `call_${randomUUID().replaceAll("-", "")}`;
}

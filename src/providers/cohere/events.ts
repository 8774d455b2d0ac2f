import { randomUUID } from "node:crypto";
import {
  type ChatEvent,
  completed,
  finished,
  reasoningDelta,
  textDelta,
  toolCallDelta,
} from "../../chat/stream/events.ts";
import type { LogProbs } from "../../gen/dragoman/v1/logprobs_pb.js";
import { cutAnswer, malformedAnswer } from "../../upstream/errors.ts";
import type { ServerSentEvent } from "../../upstream/sse.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { choiceEnd } from "../kit/choice-end.ts";
import { locateError } from "../kit/error-body.ts";
import { embeddedFailure } from "../kit/errors.ts";
import { readFinishReason } from "../kit/finish-reasons.ts";
import { memberAt } from "../kit/json-text.ts";
import { isFields, Metadata, otherFields } from "../kit/metadata.ts";
import { parseAnswer, parseJson } from "../kit/parse-answer.ts";
import { stateOf } from "../kit/provider-state.ts";
import { Unread } from "../kit/unread.ts";
import { Citations } from "./citations.ts";
import { cohereErrors } from "./errors.ts";
import { planMark } from "./fields.ts";
import { plainDelta } from "./plain-delta.ts";
import { eventMembers } from "./read-members.ts";
import { cohereUsage } from "./usage.ts";
import { eventsOfMessage } from "./whole-message.ts";
import { type CohereEvent, eventSchema } from "./wire.ts";

interface Call {
  readonly part: number;
  /** Arguments that are held back, since they may be the text "null", which Cohere sends for no arguments. */
  held: string;
  /** Whether all arguments so far are held back. */
  isOpen: boolean;
}

/** Progress of a response. */
interface AnswerState {
  readonly call: UpstreamCall;
  readonly hideReasoning: boolean;
  /** Number of parts so far. */
  parts: number;
  /** Part indices: of each content block, by its kind and index (`text 0`), and of the tool plan, by `planMark`. */
  readonly blocks: Map<string, number>;
  readonly callsByIndex: Map<number, Call>;
  readonly citations: Citations;
  readonly metadata: Metadata;
  readonly unread: Unread;
  /** Event `message-end`, once received. */
  end: CohereEvent | undefined;
}

export function startAnswer(call: UpstreamCall, hideReasoning: boolean): AnswerState {
  const facts = { citations: new Citations(call), metadata: new Metadata(), unread: new Unread() };
  return { call, hideReasoning, parts: 0, blocks: new Map(), callsByIndex: new Map(), ...facts, end: undefined };
}

/** Appends the events for one event of the stream to a batch. Returns true at the end of the response. */
export function toEvents(answer: AnswerState, { data }: ServerSentEvent, batch: ChatEvent[]): boolean {
  const value = parseJson(data, answer.call);
  if (isMessage(value)) {
    for (const event of eventsOfMessage(data)) toEvents(answer, { data: event }, batch);
    return true;
  }
  const plain = plainDelta(value);
  const event = plain ?? parseAnswer(value, eventSchema, answer.call, cohereErrors);
  if (plain === undefined) answer.unread.addMembers(value, eventMembers.get(event.type));
  switch (event.type) {
    case "message-start":
      answer.call.attempt.providerResponseId = event.id ?? "";
      break;
    case "content-start":
    case "content-delta":
      contentEvents(answer, event, batch);
      break;
    case "tool-plan-delta":
      planEvents(answer, event.delta?.message?.tool_plan ?? "", batch);
      break;
    case "tool-call-start":
    case "tool-call-delta":
      callEvents(answer, event, data, batch);
      break;
    case "tool-call-end":
      closeCall(answer.callsByIndex.get(event.index ?? 0), batch);
      break;
    case "citation-start": {
      const found = event.delta?.message?.citations;
      if (!answer.citations.read(found, answer.blocks, batch)) answer.metadata.add("citations", [found], "merge");
      break;
    }
    case "message-end":
      answer.end = event;
      for (const [name, fact] of otherFields(isFields(value) ? value.delta : undefined, endFields)) {
        answer.metadata.add(name, fact);
      }
      answer.metadata.add("billed_units", otherUnits(event.delta?.usage));
      answer.metadata.add("usage", cohereUsage.rest(event.delta?.usage));
      return true;
    case "error":
      throw embeddedFailure(locateError(data, cohereErrors.read), answer.call, cohereErrors);
    case "content-end":
    case "citation-end":
      break;
    default:
      answer.unread.add(`the event ${event.type}`, "the stream");
      break;
  }
  return false;
}

/** Whether a value is a whole response and not an event, which has a type. An error has a text as its message. */
function isMessage(value: unknown): boolean {
  return isFields(value) && value.type === undefined && isFields(value.message);
}

/** Returns the billed units that are no tokens of the call. */
function otherUnits(usage: unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(otherFields(isFields(usage) ? usage.billed_units : undefined, tokenUnits));
}

const tokenUnits: ReadonlySet<string> = new Set(["input_tokens", "output_tokens", "image_tokens"]);

/** Fields of `message-end` that Dragoman reads. */
const endFields: ReadonlySet<string> = new Set(["finish_reason", "usage"]);

/** Appends the final events of a response. Throws if `message-end` is missing or its finish reason is a failure. */
export function endEvents(
  { call, callsByIndex, end, citations, metadata, unread }: AnswerState,
  batch: ChatEvent[],
): void {
  if (end === undefined && call.filter === "") throw cutAnswer(call);
  const word = end?.delta?.finish_reason ?? "";
  const meaning = readFinishReason(word, call, false);
  for (const open of callsByIndex.values()) closeCall(open, batch);
  const facts = { sources: citations.sources, providerMetadataJson: metadata.toJson() };
  batch.push(choiceEnd(finished(0, meaning, word, "", facts), call));
  const usage = cohereUsage.toUsage(cohereUsage.add(undefined, end?.delta?.usage));
  batch.push(completed({ warnings: [...unread.warnings, ...metadata.warnings()], ...(usage && { usage }) }));
}

/** Fields of content that Dragoman reads, and its type, which they show. */
const contentFields: ReadonlySet<string> = new Set(["type", "text", "thinking"]);

/** Appends text and reasoning. They are in the fields `text` and `thinking`; only a block's first event has a type. */
function contentEvents(answer: AnswerState, { type, index, delta, logprobs }: CohereEvent, batch: ChatEvent[]): void {
  const content = delta?.message?.content;
  if (content === null || content === undefined) return;
  if (Array.isArray(content)) {
    loseList(answer, type, content);
    return;
  }
  const { text, thinking } = content;
  for (const [name, value] of otherFields(content, contentFields)) answer.metadata.add(name, [value], "merge");
  if (thinking && !answer.hideReasoning) {
    const part = partOf(answer, `thinking ${index}`);
    answer.citations.wrote(part, thinking);
    batch.push(reasoningDelta(0, part, thinking, toLogProbs(logprobs)));
  }
  if (!text) return;
  const part = partOf(answer, `text ${index}`);
  answer.citations.wrote(part, text);
  batch.push(textDelta(0, part, text, toLogProbs(logprobs)));
}

/**
 * Converts the tool plan, which the model writes before tool calls, to reasoning. Its provider state is `planMark`, so
 * that messages.ts later sends it back as `tool_plan`.
 */
function planEvents(answer: AnswerState, plan: string, batch: ChatEvent[]): void {
  if (plan === "" || answer.hideReasoning) return;
  const isNew = !answer.blocks.has(planMark);
  const part = partOf(answer, planMark);
  answer.citations.wrote(part, plan);
  const event = reasoningDelta(0, part, plan);
  if (isNew) event.value.providerState = stateOf(answer.call, Buffer.from(planMark));
  batch.push(event);
}

function partOf(answer: AnswerState, block: string): number {
  const part = answer.blocks.get(block) ?? answer.parts++;
  answer.blocks.set(block, part);
  return part;
}

/**
 * Appends the events of a tool call. In its events, `tool_calls` is one object and not a list.
 *
 * @param data the event as Cohere sent it
 */
function callEvents(answer: AnswerState, { type, index, delta }: CohereEvent, data: string, batch: ChatEvent[]): void {
  const fragment = delta?.message?.tool_calls;
  if (fragment === null || fragment === undefined) return;
  if (Array.isArray(fragment)) {
    loseList(answer, type, fragment);
    return;
  }
  const { name, arguments: value } = fragment.function ?? {};
  const isText = typeof (value ?? "") === "string";
  const text = isText ? String(value ?? "") : memberAt(data, "delta", "message", "tool_calls", "function", "arguments");
  let call = answer.callsByIndex.get(index ?? 0);
  if (type === "tool-call-start") {
    if (!name) throw malformedAnswer(answer.call, "a tool call has no name");
    const id = fragment.id || `call_${randomUUID().replaceAll("-", "")}`;
    closeCall(call, batch);
    call = { part: answer.parts++, held: "", isOpen: true };
    answer.callsByIndex.set(index ?? 0, call);
    batch.push(toolCallDelta(0, call.part, "", id, name));
  }
  if (call === undefined) throw malformedAnswer(answer.call, "a tool call continues without a start");
  if (text === "") return;
  call.held += text;
  if (call.isOpen && "null".startsWith(call.held)) return;
  batch.push(toolCallDelta(0, call.part, call.held));
  call.held = "";
  call.isOpen = false;
}

/** Notes an event that has a list in place of one object. The API does not send such an event. */
function loseList({ unread }: AnswerState, type: string, list: readonly unknown[]): void {
  if (list.length > 0) unread.add(`the event ${type}`, "the stream");
}

/** Appends the arguments `{}` if a tool call has none: Cohere then sends nothing, or the text "null". */
function closeCall(call: Call | undefined, batch: ChatEvent[]): void {
  if (!call?.isOpen) return;
  batch.push(toolCallDelta(0, call.part, "{}"));
  call.isOpen = false;
}

/** Converts log probabilities: the text of a chunk is one token, with the sum of Cohere's values for its tokens. */
function toLogProbs(item: CohereEvent["logprobs"]): LogProbs | undefined {
  const values = item?.logprobs ?? [];
  if (values.length === 0) return undefined;
  const logprob = values.reduce((sum, value) => sum + value, 0);
  const token = item?.text ?? "";
  return {
    $typeName: "dragoman.v1.LogProbs",
    tokens: [{ $typeName: "dragoman.v1.TokenLogProb", token, logprob, topLogprobs: [] }],
  };
}

import { type ChatEvent, completed, finished } from "../../chat/stream/events.ts";
import { cutAnswer, malformedAnswer } from "../../upstream/errors.ts";
import type { ServerSentEvent } from "../../upstream/sse.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { choiceEnd } from "../kit/choice-end.ts";
import { isError, locateError } from "../kit/error-body.ts";
import { type ErrorDialect, embeddedFailure } from "../kit/errors.ts";
import { readFinishReason } from "../kit/finish-reasons.ts";
import { itemsOf, memberAt } from "../kit/json-text.ts";
import { isFields, Metadata } from "../kit/metadata.ts";
import { parseAnswer, parseJson } from "../kit/parse-answer.ts";
import { Unread } from "../kit/unread.ts";
import type { AnswerState } from "./answer-state.ts";
import { beginItem, endItem, extendCall, extendReasoning, itemFor } from "./items.ts";
import { annotate, contentOf, endWaiting, extendContent, repeatContent } from "./message-content.ts";
import { plainDelta } from "./plain-delta.ts";
import { contentMembers, eventMembers } from "./read-members.ts";
import { readResponse } from "./response-facts.ts";
import { responsesUsage } from "./usage.ts";
import { eventSchema, type StreamEvent } from "./wire.ts";

export function startAnswer(
  call: UpstreamCall,
  { hideReasoning, errors }: { readonly hideReasoning: boolean; readonly errors: ErrorDialect },
): AnswerState {
  const nothing = { parts: 0, searches: 0, word: undefined, usage: undefined, serviceTier: "" };
  const facts = { sources: [], metadata: new Metadata(), unread: new Unread() };
  return { call, errors, hideReasoning, items: new Map(), ...nothing, ...facts };
}

/** Converts one SSE event, or a whole response, and appends the results to `batch`. Returns true at the end. */
export function toEvents(answer: AnswerState, { event: name, data }: ServerSentEvent, batch: ChatEvent[]): boolean {
  const { call, errors } = answer;
  if (data === "[DONE]") return true;
  if (name === "error") throw embeddedFailure(locateError(data, errors.read), call, errors);
  const value = parseJson(data, call);
  const plain = plainDelta(value);
  if (plain !== undefined) {
    const { index, contentIndex, text } = plain;
    extendContent(answer, contentOf(itemFor(answer, index, "message"), contentIndex, "text"), text, undefined, batch);
    return false;
  }
  const event = parseAnswer(value, eventSchema, call, errors, holdsError);
  if (event.object === "response" || (event.type ?? "") === "") {
    endResponse(answer, value, () => data, batch);
    return true;
  }
  answer.unread.addMembers(value, eventMembers);
  return readEvent(answer, event, isFields(value) ? value : {}, data, batch);
}

/** Whether JSON is an error and no event, or a response that is nothing but an error. */
function holdsError({ type, error, output, message, detail }: StreamEvent): boolean {
  if (type === "error") return true;
  if ((type ?? "") !== "" || Array.isArray(output)) return false;
  return isError(error) || [message, detail].some((field) => (field ?? undefined) !== undefined);
}

function readEvent(
  answer: AnswerState,
  { type, output_index, content_index, summary_index, delta, logprobs }: StreamEvent,
  value: Readonly<Record<string, unknown>>,
  data: string,
  batch: ChatEvent[],
): boolean {
  const index = output_index ?? 0;
  const text = typeof delta === "string" ? delta : "";
  switch (type) {
    case "response.created":
    case "response.queued":
    case "response.in_progress":
      readResponse(answer, value.response, false);
      break;
    case "response.output_item.added":
      beginItem(answer, index, value.item, batch);
      break;
    case "response.output_item.done":
      endItem(answer, index, value.item, memberAt(data, "item"), batch);
      break;
    case "response.output_text.delta":
    case "response.refusal.delta": {
      const kind = type === "response.refusal.delta" ? "refusal" : "text";
      const content = contentOf(itemFor(answer, index, "message"), content_index ?? 0, kind);
      extendContent(answer, content, text, logprobs, batch);
      break;
    }
    case "response.output_text.annotation.added": {
      const json = memberAt(data, "annotation");
      if (json === "" || json === "null") break;
      annotate(answer, contentOf(itemFor(answer, index, "message"), content_index ?? 0, "text"), json, batch);
      break;
    }
    case "response.function_call_arguments.delta":
    case "response.custom_tool_call_input.delta":
      extendCall(answer, answer.items.get(index), text, batch);
      break;
    case "response.reasoning_summary_text.delta":
    case "response.reasoning_text.delta": {
      const place = `${type} ${summary_index ?? content_index ?? 0}`;
      extendReasoning(answer, itemFor(answer, index, "reasoning"), text, place, batch);
      break;
    }
    case "response.completed":
    case "response.incomplete":
    case "response.failed":
      endResponse(answer, value.response, () => memberAt(data, "response"), batch);
      return true;
    case "response.content_part.done":
      repeatContent(answer, answer.items.get(index)?.contents.get(content_index ?? 0), memberAt(data, "part"));
      break;
    default:
      readProgress(answer, type ?? "", value);
  }
  return false;
}

/** Events that repeat content at its end. */
const repeats =
  /^response\.(?:content_part|output_text|refusal|reasoning_\w+|function_call_arguments|custom_tool_call_input)\./;

/** Events about the work of a tool: the item at its end has all of it. */
const progress =
  /^response\.(?:\w+_call(?:_\w+)?|mcp_list_tools|compaction)\.(?:in_progress|searching|interpreting|generating|partial_image|compacting|completed|failed|added|delta|done)$/;

function readProgress(answer: AnswerState, type: string, value: Readonly<Record<string, unknown>>): void {
  if (progress.test(type)) answer.call.hadHiddenOutput = true;
  else if (repeats.test(type)) answer.unread.addMembers(value.part, contentMembers);
  else if (type !== "keepalive") answer.unread.add(`the event ${type}`, "the stream");
}

/**
 * Reads a response. After a stream, its items are known, so that their exact texts are not looked for.
 *
 * @param jsonOf returns the response as the API sent it
 */
function endResponse(answer: AnswerState, value: unknown, jsonOf: () => string, batch: ChatEvent[]): void {
  const output: readonly unknown[] = isFields(value) && Array.isArray(value.output) ? value.output : [];
  const hasNew = output.some((_, index) => answer.items.get(index)?.ended === undefined);
  const texts = hasNew ? itemsOf(memberAt(jsonOf(), "output")) : [];
  for (const [index, item] of output.entries()) endItem(answer, index, item, texts[index] ?? "{}", batch);
  readResponse(answer, value, true);
  const { call, word } = answer;
  if (word === "queued" || word === "in_progress") throw malformedAnswer(call, `its status is ${word}`);
}

/** Appends the final events of a response. Throws if the response has not ended. */
export function endEvents(answer: AnswerState, batch: ChatEvent[]): void {
  const { call, word, searches, serviceTier, metadata, unread, sources } = answer;
  const isWhole = call.hasEnd && answer.items.size > 0;
  if (word === undefined && call.filter === "" && !isWhole) throw cutAnswer(call);
  for (const { contents } of answer.items.values()) {
    for (const content of contents.values()) endWaiting(answer, content, batch);
  }
  const hasCalls = [...answer.items.values()].some(({ type }) => type === "function_call");
  const meaning = readFinishReason(word ?? "", call, hasCalls);
  batch.push(choiceEnd(finished(0, meaning, word ?? "", "", { sources }), call));
  const reported = searches > 0 ? { web_search_requests: searches } : undefined;
  const usage = responsesUsage.toUsage(answer.usage && responsesUsage.add(answer.usage, reported));
  const warnings = [...unread.warnings, ...metadata.warnings()];
  batch.push(completed({ serviceTier, warnings, providerMetadataJson: metadata.toJson(), ...(usage && { usage }) }));
}

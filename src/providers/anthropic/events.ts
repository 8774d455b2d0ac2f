import { type ChatEvent, completed, finished } from "../../chat/stream/events.ts";
import { cutAnswer } from "../../upstream/errors.ts";
import type { ServerSentEvent } from "../../upstream/sse.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { choiceEnd } from "../kit/choice-end.ts";
import { locateError } from "../kit/error-body.ts";
import { embeddedFailure } from "../kit/errors.ts";
import { readFinishReason } from "../kit/finish-reasons.ts";
import { metadataJson } from "../kit/metadata.ts";
import { parseAnswer, parseJson } from "../kit/parse-answer.ts";
import { TextTemplate } from "../kit/text-template.ts";
import { Unread } from "../kit/unread.ts";
import type { ReportedUsage } from "../kit/usage-reader.ts";
import type { ContentState } from "./block-state.ts";
import { beginBlock, endBlock, extendBlock } from "./blocks.ts";
import { anthropicErrors } from "./errors.ts";
import { deltaMetadata, messageMetadata } from "./metadata.ts";
import { type PlainDelta, plainDelta } from "./plain-delta.ts";
import { nameUnknownMembers } from "./read-members.ts";
import { anthropicUsage } from "./usage.ts";
import { eventsOfMessage } from "./whole-message.ts";
import { type StreamUsage, streamEventSchema } from "./wire.ts";

/** Response in progress. */
interface AnswerState extends ContentState {
  /** Whether a message has begun. JSON of another API has no event that begins one. */
  hasBegun: boolean;
  usage: ReportedUsage | undefined;
  serviceTier: string;
  stopReason: string;
  stopSequence: string;
  /** The latest plain delta that was parsed, and its JSON. */
  latest: PlainDelta | undefined;
  readonly template: TextTemplate;
  /** Facts about the response that the contract has no fields for. */
  readonly metadata: Record<string, unknown>;
}

export function startAnswer(call: UpstreamCall): AnswerState {
  const empty = { blocks: new Map(), parts: 0, usage: undefined, serviceTier: "", stopReason: "", stopSequence: "" };
  const readers = { latest: undefined, template: new TextTemplate(), metadata: {}, unread: new Unread() };
  return { call, hasBegun: false, ...empty, ...readers };
}

/** Converts one SSE event and appends the results to `batch`. Returns true at the end of the response. */
export function toEvents(answer: AnswerState, { data }: ServerSentEvent, batch: ChatEvent[]): boolean {
  const { call } = answer;
  const { latest, template } = answer;
  const text = template.textOf(data);
  if (latest !== undefined && text !== undefined) {
    extendBlock(answer, latest.index, { [latest.field]: text }, data, batch);
    return false;
  }
  const value = parseJson(data, call);
  const plain = plainDelta(value);
  if (plain !== undefined) {
    extendBlock(answer, plain.index, { [plain.field]: plain.text }, data, batch);
    answer.latest = plain;
    template.learn(data, plain.text, (json) => plainDelta(JSON.parse(json))?.text);
    return false;
  }
  const event = parseAnswer(value, streamEventSchema, call, anthropicErrors);
  const { type, message, content_block: block, delta, usage } = event;
  const index = event.index ?? 0;
  nameUnknownMembers(answer.unread, type, value);
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
      Object.assign(answer.metadata, deltaMetadata(value));
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

function addUsage(answer: AnswerState, usage: StreamUsage | null | undefined): void {
  answer.usage = anthropicUsage.add(answer.usage, usage);
  answer.serviceTier = usage?.service_tier ?? answer.serviceTier;
}

import { append } from "../../append.ts";
import {
  type ChatEvent,
  completed,
  finished,
  reasoningDelta,
  refusalDelta,
  textDelta,
} from "../../chat/stream/events.ts";
import { encodeDetails } from "../../chat/stream/reasoning-details.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import { cutAnswer, malformedAnswer } from "../../upstream/errors.ts";
import type { ServerSentEvent } from "../../upstream/sse.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { checkChoiceCount } from "../kit/choice-count.ts";
import { choiceEnd } from "../kit/choice-end.ts";
import { isError, locateError } from "../kit/error-body.ts";
import { type ErrorDialect, embeddedFailure, failedAnswer } from "../kit/errors.ts";
import { readFinishReason } from "../kit/finish-reasons.ts";
import { isFields } from "../kit/metadata.ts";
import { parseAnswer } from "../kit/parse-answer.ts";
import { stateOf } from "../kit/provider-state.ts";
import { TextTemplate } from "../kit/text-template.ts";
import { Unread } from "../kit/unread.ts";
import type { ReportedUsage } from "../kit/usage-reader.ts";
import { Extras } from "./extras.ts";
import { parseChunk } from "./json-arguments.ts";
import { textTokens, toLogProbs } from "./logprobs.ts";
import { plainChunk } from "./plain-chunk.ts";
import { timeMembers } from "./read-members.ts";
import { ResponseFacts } from "./response-facts.ts";
import { toTimeInfo } from "./time-info.ts";
import { ToolCalls } from "./tool-calls.ts";
import { chatUsage } from "./usage.ts";
import {
  type Chunk,
  type ChunkChoice,
  type ChunkMessage,
  type ChunkTimings,
  chunkSchema,
  timingsSchema,
} from "./wire.ts";

/**
 * Progress of one choice. Parts are numbered in the order in which they begin. `text`, `reasoning` and `refusal` are
 * the indices of these parts; undefined until the part begins.
 */
interface ChoiceState {
  /** Number of parts so far. */
  parts: number;
  text: number | undefined;
  reasoning: number | undefined;
  refusal: number | undefined;
  /** Undefined until the first call. */
  calls: ToolCalls | undefined;
  readonly extras: Extras;
  /** The server's word, and its meaning. */
  finishReason: string;
  meaning: FinishReason;
  matchedStop: string;
}

/** Options for reading a response. */
interface Reading {
  /** Whether to drop the text of the reasoning. */
  readonly hideReasoning: boolean;
  /** Whether to keep OpenRouter's `reasoning_details` as provider state, which the caller sends back. */
  readonly keepDetails: boolean;
  /** Whether the response is one JSON body and not a stream. */
  readonly isWhole: boolean;
  /** Media type of audio output: the response does not name it. */
  readonly audioType: string;
  /** Names of the functions of the request. */
  readonly functionNames: readonly string[];
  readonly errors: ErrorDialect;
}

/** Progress of a response. */
export interface AnswerState extends Reading {
  readonly call: UpstreamCall;
  readonly choices: Map<number, ChoiceState>;
  usage: ReportedUsage | undefined;
  timings: ChunkTimings | undefined;
  serviceTier: string;
  systemFingerprint: string;
  readonly facts: ResponseFacts;
  readonly unread: Unread;
  /** The latest plain chunk. */
  readonly template: TextTemplate;
  /** Index of its choice. */
  plainIndex: number;
}

export function startAnswer(call: UpstreamCall, reading: Reading): AnswerState {
  const nothing = { usage: undefined, timings: undefined, serviceTier: "", systemFingerprint: "" };
  const readers = { facts: new ResponseFacts(), unread: new Unread(), template: new TextTemplate(), plainIndex: 0 };
  return { ...reading, call, choices: new Map(), ...nothing, ...readers };
}

/** Appends the events of one chunk, or of a JSON body, to a batch. Returns true at the end of the response. */
export function toEvents(answer: AnswerState, { event, data }: ServerSentEvent, batch: ChatEvent[]): boolean {
  const { call, errors } = answer;
  if (event === "error") throw embeddedFailure(locateError(data, errors.read), call, errors);
  if (data === "[DONE]") return true;
  const text = answer.template.textOf(data);
  if (text !== undefined) {
    textEvent(answer, answer.plainIndex, text, batch);
    return false;
  }
  const value = parseChunk(data, call);
  const plain = plainChunk(value, answer);
  if (plain !== undefined) {
    textEvent(answer, plain.index, plain.text, batch);
    answer.plainIndex = plain.index;
    answer.template.learn(data, plain.text, (json) => plainChunk(JSON.parse(json), answer)?.text);
    return false;
  }
  // Whether a chunk is plain depends on those before it.
  answer.template.forget();
  // Check for an error before reading any field: an error body also matches the schema, as a chunk without choices.
  const chunk = parseAnswer(value, chunkSchema, call, errors, holdsError);
  if (chunk.id) call.attempt.providerResponseId = chunk.id;
  const usageOfOnly = usageOfChoice(answer, chunk);
  const usage = chunk.usage ?? chunk.x_groq?.usage ?? usageOfOnly;
  if (usage) {
    answer.usage = chatUsage.add(answer.usage, usage);
    answer.facts.metadata.add("usage", chatUsage.rest(usage));
  }
  answer.timings = chunk.time_info ?? (usage ? timingsSchema.safeParse(usage).data : undefined) ?? answer.timings;
  answer.serviceTier = chunk.service_tier_used ?? chunk.service_tier ?? answer.serviceTier;
  answer.systemFingerprint = chunk.system_fingerprint ?? answer.systemFingerprint;
  const raw = isFields(value) ? value : {};
  answer.unread.addMembers(raw.time_info, timeMembers);
  answer.facts.read(raw, call.attempt.providerModel);
  const rawChoices: readonly unknown[] = Array.isArray(raw.choices) ? raw.choices : [];
  for (const [place, choice] of (chunk.choices ?? []).entries()) {
    const rawChoice = rawChoices[place];
    const rest = usageOfOnly && isFields(rawChoice) ? { ...rawChoice, usage: undefined } : rawChoice;
    choiceEvents(answer, choice, place, rest, batch);
  }
  return false;
}

/** Appends the text of a plain chunk. */
function textEvent(answer: AnswerState, index: number, text: string, batch: ChatEvent[]): void {
  const state = answer.choices.get(index) ?? beginChoice(answer, index);
  state.text ??= state.parts++;
  state.extras.wrote(text);
  batch.push(textDelta(index, state.text, text));
}

/** Appends the final events of a response. Throws if there is no choice, or if the response is not whole. */
export function endEvents(answer: AnswerState, batch: ChatEvent[]): void {
  const { call, choices } = answer;
  if (call.filter !== "" && choices.size === 0) beginChoice(answer, 0);
  const entries = [...choices].sort(([a], [b]) => a - b);
  const isOpen = entries.some(([, { finishReason }]) => finishReason === "");
  if (entries.length === 0 || (isOpen && !call.hasEnd)) throw cutAnswer(call);
  // Finish choices only at the end, since some servers send content after a finish reason.
  for (const [index, choice] of entries) {
    const rest = choice.calls === undefined ? [] : choice.calls.end();
    if (rest === undefined && call.filter === "") throw malformedAnswer(call, "a tool call has no name");
    append(batch, rest ?? []);
    const { extras, finishReason, meaning, matchedStop } = choice;
    const sources = [...answer.facts.sources, ...extras.end(choice.text, batch)];
    const own = { sources, providerMetadataJson: extras.metadata.toJson() };
    batch.push(choiceEnd(finished(index, meaning, finishReason, matchedStop, own), call));
  }
  const { timings, serviceTier, systemFingerprint } = answer;
  const { metadata } = answer.facts;
  const facts = [metadata, ...entries.map(([, { extras }]) => extras.metadata)];
  const warnings = [...answer.unread.warnings, ...facts.flatMap((each) => each.warnings())];
  const usage = chatUsage.toUsage(answer.usage);
  const timeInfo = toTimeInfo(timings);
  const counts = { ...(usage && { usage }), ...(timeInfo && { timeInfo }) };
  batch.push(
    completed({ serviceTier, systemFingerprint, warnings, providerMetadataJson: metadata.toJson(), ...counts }),
  );
}

function holdsError({ error, object, detail, message, choices }: Chunk): boolean {
  if (isError(error) || object === "error") return true;
  return !choices && [error, detail, message].some((field) => (field ?? undefined) !== undefined);
}

/**
 * Returns the usage in the only choice of a response, where Moonshot sends it. Several choices count the prompt again.
 */
function usageOfChoice({ choices }: AnswerState, chunk: Chunk): unknown {
  const [choice, ...others] = chunk.choices ?? [];
  return others.length === 0 && choices.size <= 1 ? choice?.usage : undefined;
}

/** Returns the index of the choice at a place of the list. Some servers set none, or the same one. */
function indexOf({ choices, isWhole }: AnswerState, { index }: ChunkChoice, place: number): number {
  return isWhole && choices.has(index ?? place) ? choices.size : (index ?? place);
}

function choiceEvents(
  answer: AnswerState,
  choice: ChunkChoice,
  place: number,
  rawChoice: unknown,
  batch: ChatEvent[],
): void {
  const { call, errors } = answer;
  const reason = choice.finish_reason ?? "";
  if (isError(choice.error)) {
    const error = errors.read({ error: choice.error });
    throw error ? embeddedFailure(error, call, errors) : failedAnswer(call, "PROVIDER_UNAVAILABLE", reason);
  }
  const index = indexOf(answer, choice, place);
  const state = answer.choices.get(index) ?? beginChoice(answer, index);
  // Perplexity sends both fields. A JSON body has an empty `delta`; the `message` of a chunk repeats all text so far.
  const message = answer.isWhole ? (choice.message ?? choice.delta) : (choice.delta ?? choice.message);
  const raw = isFields(rawChoice) ? rawChoice : {};
  const rawMessage = answer.isWhole ? (raw.message ?? raw.delta) : (raw.delta ?? raw.message);
  if (message) messageEvents(answer, state, index, message, choice, rawMessage, batch);
  state.extras.readChoice(raw);
  state.extras.readMessage(rawMessage, state.text, batch);
  if (reason !== "") {
    state.finishReason = reason;
    state.meaning = readFinishReason(reason, call, (state.calls?.count ?? 0) > 0);
  }
  const matched = choice.stop_reason ?? choice.matched_stop;
  if (typeof matched === "string") state.matchedStop = matched;
  else state.extras.metadata.add("stop_reason", matched);
}

function beginChoice(answer: AnswerState, index: number): ChoiceState {
  checkChoiceCount(answer.choices.size, answer.call);
  const newPart = () => state.parts++;
  const state: ChoiceState = {
    parts: 0,
    text: undefined,
    reasoning: undefined,
    refusal: undefined,
    calls: undefined,
    extras: new Extras(answer.call, index, newPart, answer.audioType, answer.unread),
    finishReason: "",
    meaning: FinishReason.UNSPECIFIED,
    matchedStop: "",
  };
  answer.choices.set(index, state);
  return state;
}

function messageEvents(
  answer: AnswerState,
  state: ChoiceState,
  index: number,
  message: ChunkMessage,
  { logprobs, reasoning_logprobs }: ChunkChoice,
  rawMessage: unknown,
  batch: ChatEvent[],
): void {
  // Read only one of these fields: Together sends the same text in both.
  const reasoning = message.reasoning_content || message.reasoning || "";
  const lists = typeof logprobs === "number" ? undefined : logprobs;
  const reasoningLogProbs = toLogProbs(lists?.reasoning_content ?? reasoning_logprobs?.content);
  if (answer.hideReasoning && reasoning !== "") answer.call.hadHiddenOutput = true;
  const details = answer.keepDetails && message.reasoning_details?.length ? message.reasoning_details : undefined;
  if (details || (!answer.hideReasoning && (reasoning !== "" || reasoningLogProbs !== undefined))) {
    state.reasoning ??= state.parts++;
    const event = answer.hideReasoning
      ? reasoningDelta(index, state.reasoning, "")
      : reasoningDelta(index, state.reasoning, reasoning, reasoningLogProbs);
    if (details) event.value.providerState = stateOf(answer.call, encodeDetails(details));
    batch.push(event);
  } else if (!answer.hideReasoning) {
    state.extras.metadata.add("reasoning_details", message.reasoning_details, "join");
  }
  state.extras.readTools(rawMessage, batch);
  const { content } = message;
  const text = typeof content === "string" ? content : (content?.map((part) => part.text ?? "").join("") ?? "");
  const textLogProbs = toLogProbs(textTokens(logprobs, text));
  if (text !== "" || textLogProbs !== undefined) {
    state.text ??= state.parts++;
    state.extras.wrote(text);
    batch.push(textDelta(index, state.text, text, textLogProbs));
  }
  const refusalLogProbs = toLogProbs(lists?.refusal);
  if (message.refusal || refusalLogProbs !== undefined) {
    state.refusal ??= state.parts++;
    batch.push(refusalDelta(index, state.refusal, message.refusal ?? "", refusalLogProbs));
  }
  if (message.tool_calls || message.function_call) {
    const calls = state.extras.functionCalls(message.tool_calls ?? [], rawMessage);
    state.calls ??= new ToolCalls(answer.call, index, () => state.parts++, answer.functionNames);
    state.calls.append({ tool_calls: calls, function_call: message.function_call }, answer.isWhole, batch);
    if (message.function_call) state.extras.keepFunctionCall(rawMessage);
  }
}

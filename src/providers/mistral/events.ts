import { append } from "../../append.ts";
import { type ChatEvent, completed, finished, reasoningDelta, textDelta } from "../../chat/stream/events.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import { cutAnswer, malformedAnswer } from "../../upstream/errors.ts";
import type { ServerSentEvent } from "../../upstream/sse.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { keepCallFields, sentCalls } from "../chat-completions/call-fields.ts";
import { parseChunk } from "../chat-completions/json-arguments.ts";
import { ToolCalls } from "../chat-completions/tool-calls.ts";
import { chatUsage } from "../chat-completions/usage.ts";
import { checkChoiceCount } from "../kit/choice-count.ts";
import { choiceEnd } from "../kit/choice-end.ts";
import { locateError } from "../kit/error-body.ts";
import { embeddedFailure } from "../kit/errors.ts";
import { readFinishReason } from "../kit/finish-reasons.ts";
import { Metadata, otherFields } from "../kit/metadata.ts";
import { isOtherModel } from "../kit/other-model.ts";
import { parseAnswer } from "../kit/parse-answer.ts";
import { stateOf } from "../kit/provider-state.ts";
import { Unread } from "../kit/unread.ts";
import type { ReportedUsage } from "../kit/usage-reader.ts";
import { mistralErrors } from "./errors.ts";
import { Extras } from "./extras.ts";
import { RepeatedStart } from "./repeated-start.ts";
import { type AnswerChoice, type AnswerContent, answerSchema } from "./wire.ts";

/** Progress of one choice. */
interface ChoiceState {
  /** Number of parts so far. */
  parts: number;
  /** Last part, to which more content of its kind is appended. Undefined: the next content begins a new part. */
  open: { readonly kind: "text" | "reasoning"; readonly part: number } | undefined;
  readonly start: RepeatedStart;
  readonly calls: ToolCalls;
  readonly extras: Extras;
  /** Mistral's word, and its meaning. */
  finishReason: string;
  meaning: FinishReason;
}

/** What the request says about reading its response. */
interface Reading {
  readonly hideReasoning: boolean;
  /** Text of the assistant message that the response continues. Mistral repeats it at the start. */
  readonly continued: string;
  /** Names of the functions of the request. */
  readonly functionNames: readonly string[];
}

/** Progress of a response. */
interface AnswerState extends Reading {
  readonly call: UpstreamCall;
  readonly choices: Map<number, ChoiceState>;
  usage: ReportedUsage | undefined;
  serviceTier: string;
  readonly metadata: Metadata;
  readonly unread: Unread;
}

export function startAnswer(call: UpstreamCall, reading: Reading): AnswerState {
  const nothing = { usage: undefined, serviceTier: "", metadata: new Metadata(), unread: new Unread() };
  return { ...reading, call, choices: new Map(), ...nothing };
}

/** Appends the events of one chunk, or of a JSON body, to a batch. Returns true at the end of the response. */
export function toEvents(answer: AnswerState, { event, data }: ServerSentEvent, batch: ChatEvent[]): boolean {
  const { call } = answer;
  if (event === "error") throw embeddedFailure(locateError(data, mistralErrors.read), call, mistralErrors);
  if (data === "[DONE]") return true;
  const sent = parseChunk(data, call);
  const chunk = parseAnswer(sent, answerSchema, call, mistralErrors);
  if (chunk.id) call.attempt.providerResponseId = chunk.id;
  answer.usage = chatUsage.add(answer.usage, chunk.usage);
  answer.metadata.add("usage", chatUsage.rest(chunk.usage));
  answer.serviceTier = chunk.usage?.service_tier ?? answer.serviceTier;
  for (const [name, value] of otherFields(chunk, chunkFields)) answer.metadata.add(name, value);
  answer.metadata.add("prompt_audio_seconds", chunk.usage?.prompt_audio_seconds);
  const { model } = chunk;
  if (typeof model === "string" && isOtherModel(model, call.attempt.providerModel)) answer.metadata.add("model", model);
  for (const [place, choice] of chunk.choices.entries()) choiceEvents(answer, choice, place, sent, batch);
  return false;
}

/** Appends the final events of a response. Throws if there is no choice, or if the response is not whole. */
export function endEvents(answer: AnswerState, batch: ChatEvent[]): void {
  const { call, choices, serviceTier, metadata } = answer;
  if (call.filter !== "" && choices.size === 0) beginChoice(answer, 0);
  const entries = [...choices].sort(([a], [b]) => a - b);
  const isOpen = entries.some(([, { finishReason }]) => finishReason === "");
  if (entries.length === 0 || (isOpen && !call.hasEnd)) throw cutAnswer(call);
  for (const [index, choice] of entries) {
    const { start, calls, extras, finishReason, meaning } = choice;
    writeText(choice, index, start.end(), batch);
    const rest = calls.end();
    if (rest === undefined && call.filter === "") throw malformedAnswer(call, "a tool call has no name");
    append(batch, rest ?? []);
    const facts = { sources: extras.end(batch), providerMetadataJson: extras.metadata.toJson() };
    batch.push(choiceEnd(finished(index, meaning, finishReason, "", facts), call));
  }
  const facts = [metadata, ...entries.map(([, { extras }]) => extras.metadata)];
  const warnings = [...answer.unread.warnings, ...facts.flatMap((each) => each.warnings())];
  const usage = chatUsage.toUsage(answer.usage);
  batch.push(completed({ serviceTier, warnings, providerMetadataJson: metadata.toJson(), ...(usage && { usage }) }));
}

/** @param sent the chunk as Mistral sent it */
function choiceEvents(
  answer: AnswerState,
  choice: AnswerChoice,
  place: number,
  sent: unknown,
  batch: ChatEvent[],
): void {
  const { call } = answer;
  const reason = choice.finish_reason ?? "";
  const index = choice.index ?? place;
  const state = answer.choices.get(index) ?? beginChoice(answer, index);
  const message = choice.delta ?? choice.message ?? {};
  const { content, tool_calls } = message;
  state.extras.readFields(choice, message);
  for (const chunk of typeof content === "string" ? [{ text: content }] : (content ?? [])) {
    if (state.extras.read(chunk, batch)) continue;
    contentEvents(answer, state, index, chunk, batch);
  }
  if (tool_calls?.length) {
    // Other vendors' models at Mistral send the text "null" instead of an id.
    const fragments = tool_calls.map((fragment) => (fragment.id === "null" ? { ...fragment, id: null } : fragment));
    keepCallFields(state.extras.metadata, sentCalls(sent, place));
    state.calls.append({ tool_calls: fragments }, choice.message !== undefined, batch);
    state.open = undefined;
  }
  if (reason !== "") {
    state.finishReason = reason;
    state.meaning = readFinishReason(reason, call, state.calls.count > 0);
  }
}

function beginChoice(answer: AnswerState, index: number): ChoiceState {
  checkChoiceCount(answer.choices.size, answer.call);
  const state: ChoiceState = {
    parts: 0,
    open: undefined,
    start: new RepeatedStart(answer.continued),
    calls: new ToolCalls(answer.call, index, () => state.parts++, answer.functionNames),
    extras: new Extras(
      answer.call,
      index,
      () => {
        state.open = undefined;
        return state.parts++;
      },
      answer.unread,
    ),
    finishReason: "",
    meaning: FinishReason.UNSPECIFIED,
  };
  answer.choices.set(index, state);
  return state;
}

function contentEvents(
  { call, hideReasoning }: AnswerState,
  state: ChoiceState,
  index: number,
  { text, thinking, signature }: Partial<AnswerContent>,
  batch: ChatEvent[],
): void {
  const pieces = typeof thinking === "string" ? [{ text: thinking }] : (thinking ?? []);
  const thought = pieces.map((piece) => piece.text ?? "").join("");
  if (!hideReasoning) state.extras.readThinking(pieces);
  if (hideReasoning && thought !== "") call.hadHiddenOutput = true;
  if (!hideReasoning && (thought !== "" || signature)) {
    const event = reasoningDelta(index, partFor(state, "reasoning"), thought);
    if (signature) {
      event.value.providerState = stateOf(call, Buffer.from(signature));
      // A signature covers one part and comes last, so that further reasoning begins a new part.
      state.open = undefined;
    }
    batch.push(event);
  }
  writeText(state, index, state.start.strip(text ?? ""), batch);
}

function writeText(state: ChoiceState, index: number, text: string, batch: ChatEvent[]): void {
  if (text === "") return;
  const part = partFor(state, "text");
  state.extras.wrote(part, text);
  batch.push(textDelta(index, part, text));
}

/** Fields of a chunk that Dragoman reads, or that say nothing to a caller. `p` is padding. */
const chunkFields: ReadonlySet<string> = new Set(["id", "object", "created", "model", "choices", "usage", "p"]);

/** Returns the part index for content of a kind: the open part, or a new one if the kind changes. */
function partFor(state: ChoiceState, kind: "text" | "reasoning"): number {
  if (state.open?.kind !== kind) state.open = { kind, part: state.parts++ };
  return state.open.part;
}

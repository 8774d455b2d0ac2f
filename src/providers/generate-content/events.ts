import { type ChatEvent, citationDelta, completed, type DeltaEvent, finished } from "../../chat/stream/events.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { LogProbs } from "../../gen/dragoman/v1/logprobs_pb.js";
import { cutAnswer, malformedAnswer } from "../../upstream/errors.ts";
import type { ServerSentEvent } from "../../upstream/sse.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { checkChoiceCount } from "../kit/choice-count.ts";
import { choiceEnd } from "../kit/choice-end.ts";
import { isError } from "../kit/error-body.ts";
import { readFinishReason } from "../kit/finish-reasons.ts";
import { isFields, Metadata, otherFields } from "../kit/metadata.ts";
import { isOtherModel } from "../kit/other-model.ts";
import { parseAnswer, parseJson } from "../kit/parse-answer.ts";
import { Unread } from "../kit/unread.ts";
import type { ReportedUsage } from "../kit/usage-reader.ts";
import { googleErrors } from "./errors.ts";
import { FunctionCalls } from "./function-calls.ts";
import { toCitations } from "./grounding.ts";
import { type ChoiceState, partEvent, signed } from "./part-events.ts";
import { callMembers, contentMembers } from "./read-members.ts";
import { googleUsage } from "./usage.ts";
import { type Chunk, type ChunkCandidate, type ChunkLogProbs, chunkSchema } from "./wire.ts";

/** Response in progress. */
interface AnswerState {
  readonly call: UpstreamCall;
  /** Whether the caller requested the reasoning format HIDDEN. Dragoman then omits the reasoning. */
  readonly hideReasoning: boolean;
  readonly choices: Map<number, ChoiceState>;
  readonly unread: Unread;
  /** Why the API rejected the prompt; empty if it did not. */
  blockReason: string;
  usage: ReportedUsage | undefined;
  /** The latest usage as Google sent it. */
  sentUsage: unknown;
  readonly metadata: Metadata;
}

export function startAnswer(call: UpstreamCall, hideReasoning: boolean): AnswerState {
  return {
    call,
    hideReasoning,
    choices: new Map(),
    unread: new Unread(),
    blockReason: "",
    usage: undefined,
    sentUsage: undefined,
    metadata: new Metadata(),
  };
}

/**
 * Converts one chunk and appends the results to `batch`. A response without streaming is one chunk. Always returns
 * false: only the end of the body ends the response.
 */
export function toEvents(answer: AnswerState, { data }: ServerSentEvent, batch: ChatEvent[]): boolean {
  const { call } = answer;
  const value = parseJson(data, call, /"(functionCall|toolCall|toolResponse)"/.test(data) ? keepDigits : undefined);
  const chunk = parseAnswer(value, chunkSchema, call, googleErrors, holdsError);
  if (chunk.responseId) call.attempt.providerResponseId = chunk.responseId;
  answer.usage = googleUsage.add(answer.usage, chunk.usageMetadata);
  answer.sentUsage = chunk.usageMetadata ?? answer.sentUsage;
  answer.blockReason ||= chunk.promptFeedback?.blockReason ?? "";
  for (const [name, value] of otherFields(chunk, chunkFields)) answer.metadata.add(name, value);
  const { modelVersion } = chunk;
  // An alias, such as gemini-flash-latest, stands for another model.
  const isOther = typeof modelVersion === "string" && isOtherModel(modelVersion, call.attempt.providerModel);
  if (isOther) answer.metadata.add("modelVersion", modelVersion);
  const candidates = chunk.candidates ?? [];
  // Google omits the index 0. If all are missing, the candidates are in their order.
  const isInOrder = candidates.every(({ index }) => index === undefined || index === null);
  for (const [place, candidate] of candidates.entries()) {
    candidateEvents(answer, candidate, candidate.index ?? (isInOrder ? place : 0), batch);
  }
  return false;
}

/** Appends the final events of a response to `batch`. Throws if the response is not whole. */
export function endEvents(answer: AnswerState, batch: ChatEvent[]): void {
  const { call, choices, blockReason, unread, metadata } = answer;
  const entries = [...choices].sort(([a], [b]) => a - b);
  const isOpen = entries.some(([, { finishReason }]) => finishReason === "");
  if (isOpen && blockReason === "" && !call.hasEnd) throw cutAnswer(call);
  if (entries.length === 0) {
    if (blockReason === "" && call.filter === "") throw cutAnswer(call);
    batch.push(choiceEnd(finished(0, FinishReason.CONTENT_FILTER, blockReason), call));
  }
  metadata.add("usageMetadata", googleUsage.rest(answer.sentUsage));
  const { warnings } = unread;
  for (const [index, state] of entries) {
    state.calls.end(batch);
    const { grounding: groundingMetadata, citationMetadata, urlContextMetadata } = state;
    const { cited, sources } = toCitations({ groundingMetadata, citationMetadata, urlContextMetadata }, state.texts);
    for (const { part, citation } of cited) batch.push(citationDelta(index, part, citation));
    state.metadata.add("groundingMetadata", groundingMetadata);
    const facts = { sources: [...sources], providerMetadataJson: state.metadata.toJson() };
    // Google can also block a response that has begun.
    const isBlocked = state.finishReason === "" && blockReason !== "";
    const word = isBlocked ? blockReason : state.finishReason;
    const meaning = isBlocked
      ? FinishReason.CONTENT_FILTER
      : readFinishReason(word, call, state.calls.count > 0, state.finishMessage);
    batch.push(choiceEnd(finished(index, meaning, word, "", facts), call));
    warnings.push(...state.metadata.warnings());
  }
  warnings.push(...metadata.warnings());
  const usage = googleUsage.toUsage(answer.usage);
  batch.push(completed({ warnings, providerMetadataJson: metadata.toJson(), ...(usage && { usage }) }));
}

function holdsError({ error, candidates }: Chunk): boolean {
  return isError(error) || (!candidates && (error ?? undefined) !== undefined);
}

/** Fields with numbers that Dragoman reads. */
const readNumbers = /^(?:logProbability|\w*[tT]okenCount)$/;

/** JSON reviver that keeps the digits of numbers that JavaScript would change, such as long ids. */
function keepDigits(name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (readNumbers.test(name)) return value;
  return typeof value === "number" && source !== undefined && String(value) !== source ? JSON.rawJSON(source) : value;
}

function candidateEvents(answer: AnswerState, candidate: ChunkCandidate, index: number, batch: ChatEvent[]): void {
  const known = answer.choices.get(index);
  const state = known ?? beginChoice(index);
  if (known === undefined) {
    checkChoiceCount(answer.choices.size, answer.call);
    answer.choices.set(index, state);
  }
  let logprobs = candidate.logprobsResult ? toLogProbs(candidate.logprobsResult) : undefined;
  answer.unread.addMembers(candidate.content, contentMembers);
  for (const part of candidate.content?.parts ?? []) {
    if (part.functionCall) {
      answer.unread.addMembers(part.functionCall, callMembers);
      state.open = undefined;
      const sign = (event: DeltaEvent) => signed(event, answer, part.thoughtSignature);
      if (state.calls.add(part.functionCall, sign, batch)) continue;
      throw malformedAnswer(answer.call, "a tool call has no name or an invalid path of an argument");
    }
    const event = partEvent(answer, state, index, part, logprobs);
    if (event === undefined) continue;
    if (event.value.logprobs !== undefined) logprobs = undefined;
    batch.push(event);
  }
  // No text of this chunk has them.
  if (logprobs !== undefined) state.metadata.add("logprobsResult", candidate.logprobsResult, "merge");
  for (const [name, value] of otherFields(candidate, candidateFields)) state.metadata.add(name, value);
  const { groundingMetadata, citationMetadata, urlContextMetadata } = candidate;
  if (isFields(groundingMetadata)) {
    state.grounding = { ...state.grounding, ...Object.fromEntries(otherFields(groundingMetadata, new Set())) };
  }
  state.citationMetadata = citationMetadata ?? state.citationMetadata;
  state.urlContextMetadata = urlContextMetadata ?? state.urlContextMetadata;
  state.finishReason = candidate.finishReason || state.finishReason;
  state.finishMessage = candidate.finishMessage || state.finishMessage;
}

function beginChoice(index: number): ChoiceState {
  const nothing = { grounding: {}, citationMetadata: undefined, urlContextMetadata: undefined };
  const calls = new FunctionCalls(index, () => state.parts++);
  const end = { finishReason: "", finishMessage: "" };
  const state: ChoiceState = {
    ...{ parts: 0, open: undefined, calls, texts: [], metadata: new Metadata() },
    ...end,
    ...nothing,
  };
  return state;
}

/** Fields of a chunk that Dragoman reads, or that say nothing to a caller. */
const chunkFields: ReadonlySet<string> = new Set([
  ...["candidates", "usageMetadata", "responseId", "modelVersion", "createTime", "sdkHttpResponse"],
]);

/** Fields of a candidate that Dragoman reads. Grounding is added at the end, when it is complete. */
const candidateFields: ReadonlySet<string> = new Set([
  ...["index", "content", "finishReason", "logprobsResult", "groundingMetadata"],
]);

function toLogProbs({ chosenCandidates, topCandidates }: ChunkLogProbs): LogProbs | undefined {
  if (!chosenCandidates?.length) return undefined;
  return {
    $typeName: "dragoman.v1.LogProbs",
    tokens: chosenCandidates.map(({ token, logProbability }, index) => ({
      $typeName: "dragoman.v1.TokenLogProb",
      token,
      logprob: logProbability,
      topLogprobs: (topCandidates?.[index]?.candidates ?? []).map((top) => ({
        $typeName: "dragoman.v1.TopLogProb",
        token: top.token,
        logprob: top.logProbability,
      })),
    })),
  };
}

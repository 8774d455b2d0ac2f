import { type ChatEvent, citationDelta, completed, type DeltaEvent, finished } from "../../chat/stream/events.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { LogProbs } from "../../gen/dragoman/v1/logprobs_pb.js";
import { cutAnswer, malformedAnswer } from "../../upstream/errors.ts";
import type { ServerSentEvent } from "../../upstream/sse.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { choiceEnd } from "../kit/choice-end.ts";
import { failedAnswer, toolCallFailure } from "../kit/errors.ts";
import { isFields, Metadata, omission, otherFields } from "../kit/metadata.ts";
import { isOtherModel } from "../kit/other-model.ts";
import { parseAnswer, parseJson } from "../kit/parse-answer.ts";
import type { ReportedUsage } from "../kit/usage-reader.ts";
import { googleErrors } from "./errors.ts";
import { FunctionCalls } from "./function-calls.ts";
import { toCitations } from "./grounding.ts";
import { type ChoiceState, partEvent, signed } from "./part-events.ts";
import { googleUsage } from "./usage.ts";
import { type Chunk, type ChunkCandidate, type ChunkLogProbs, chunkSchema } from "./wire.ts";

const finishReasons: Readonly<Record<string, FinishReason>> = {
  STOP: FinishReason.STOP,
  MAX_TOKENS: FinishReason.LENGTH,
  CONTINUATION: FinishReason.LENGTH,
  SAFETY: FinishReason.CONTENT_FILTER,
  RECITATION: FinishReason.CONTENT_FILTER,
  BLOCKLIST: FinishReason.CONTENT_FILTER,
  PROHIBITED_CONTENT: FinishReason.CONTENT_FILTER,
  SPII: FinishReason.CONTENT_FILTER,
  IMAGE_SAFETY: FinishReason.CONTENT_FILTER,
  IMAGE_PROHIBITED_CONTENT: FinishReason.CONTENT_FILTER,
  IMAGE_RECITATION: FinishReason.CONTENT_FILTER,
};

/** Finish reasons that mean that the model failed. */
const failures: ReadonlySet<string> = new Set(["MALFORMED_RESPONSE", "TOO_MANY_TOOL_CALLS"]);

/** Finish reasons that mean that Google rejected the model's tool call. */
const toolCallFailures: ReadonlySet<string> = new Set(["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"]);

/** Finish reasons of a response that may contain the calls that Google objects to: it is then no failure. */
const withCalls: ReadonlySet<string> = new Set(["UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"]);

/** Finish reason without a meaning: the response is whole, but does not tell why it ended. */
const unspecified = "FINISH_REASON_UNSPECIFIED";

/** Response in progress. */
interface AnswerState {
  readonly call: UpstreamCall;
  /** Whether the caller requested the reasoning format HIDDEN. Dragoman then omits the reasoning. */
  readonly hideReasoning: boolean;
  readonly choices: Map<number, ChoiceState>;
  /** Kinds of parts that Dragoman does not support and has omitted. */
  readonly lost: Set<string>;
  /** Why the API rejected the prompt; empty if it did not. */
  blockReason: string;
  usage: ReportedUsage | undefined;
  readonly metadata: Metadata;
}

export function startAnswer(call: UpstreamCall, hideReasoning: boolean): AnswerState {
  return {
    call,
    hideReasoning,
    choices: new Map(),
    lost: new Set(),
    blockReason: "",
    usage: undefined,
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
  answer.blockReason ||= chunk.promptFeedback?.blockReason ?? "";
  for (const [name, value] of otherFields(chunk, chunkFields)) answer.metadata.add(name, value);
  const { modelVersion } = chunk;
  // An alias, such as gemini-flash-latest, stands for another model.
  const isOther = typeof modelVersion === "string" && isOtherModel(modelVersion, call.attempt.providerModel);
  if (isOther) answer.metadata.add("modelVersion", modelVersion);
  for (const candidate of chunk.candidates ?? []) candidateEvents(answer, candidate, batch);
  return false;
}

/** Appends the final events of a response to `batch`. Throws if the response is not whole. */
export function endEvents(answer: AnswerState, batch: ChatEvent[]): void {
  const { call, choices, blockReason, lost, metadata } = answer;
  const entries = [...choices].sort(([a], [b]) => a - b);
  if (entries.some(([, { finishReason }]) => finishReason === "") && !call.hasEnd) throw cutAnswer(call);
  if (entries.length === 0) {
    const word = blockReason || call.filter;
    if (word === "") throw cutAnswer(call);
    batch.push(finished(0, FinishReason.CONTENT_FILTER, word));
  }
  const warnings = [...lost].map((kind) => omission(`a part with ${kind}`, "the contract has no place for it"));
  for (const [index, state] of entries) {
    state.calls.end(batch);
    const { grounding: groundingMetadata, citationMetadata, urlContextMetadata } = state;
    const { cited, sources } = toCitations({ groundingMetadata, citationMetadata, urlContextMetadata }, state.texts);
    for (const { part, citation } of cited) batch.push(citationDelta(index, part, citation));
    state.metadata.add("groundingMetadata", groundingMetadata);
    const facts = { sources: [...sources], providerMetadataJson: state.metadata.toJson() };
    const { reason, word } = endOf(call, state);
    batch.push(finished(index, reason, word, "", facts));
    warnings.push(...state.metadata.warnings());
  }
  warnings.push(...metadata.warnings());
  const usage = googleUsage.toUsage(answer.usage);
  batch.push(completed({ warnings, providerMetadataJson: metadata.toJson(), ...(usage && { usage }) }));
}

function holdsError({ error }: Chunk): boolean {
  return (error ?? undefined) !== undefined;
}

/** JSON reviver that keeps the digits of numbers that JavaScript would change, such as long ids. */
function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  return typeof value === "number" && source !== undefined && String(value) !== source ? JSON.rawJSON(source) : value;
}

function candidateEvents(answer: AnswerState, candidate: ChunkCandidate, batch: ChatEvent[]): void {
  const index = candidate.index ?? 0;
  const known = answer.choices.get(index);
  const state = known ?? beginChoice(index);
  if (known === undefined) answer.choices.set(index, state);
  let logprobs = candidate.logprobsResult ? toLogProbs(candidate.logprobsResult) : undefined;
  for (const part of candidate.content?.parts ?? []) {
    if (part.functionCall) {
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

/** Returns how a choice ended. Throws if Google reports a failure. */
function endOf(call: UpstreamCall, { finishReason: word, finishMessage, calls }: ChoiceState) {
  if (word === unspecified) return { reason: FinishReason.UNSPECIFIED, word };
  if (calls.count > 0 && withCalls.has(word)) return { reason: FinishReason.TOOL_CALLS, word };
  if (toolCallFailures.has(word)) throw toolCallFailure(call, word, finishMessage);
  if (failures.has(word)) throw failedAnswer(call, "PROVIDER_FAULT", word);
  return choiceEnd(word, finishReasons, call);
}

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

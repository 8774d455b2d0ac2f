import { type ChatEvent, citationDelta, completed, finished } from "../../chat/stream/events.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { LogProbs } from "../../gen/dragoman/v1/logprobs_pb.js";
import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import { lookUp } from "../../look-up.ts";
import { cutAnswer, malformedAnswer } from "../../upstream/errors.ts";
import type { ServerSentEvent } from "../../upstream/sse.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { failedAnswer, toolCallFailure } from "../kit/errors.ts";
import { isFields, Metadata, omission, otherFields } from "../kit/metadata.ts";
import { parseAnswer, parseJson } from "../kit/parse-answer.ts";
import { exactUsage } from "../kit/usage.ts";
import { googleErrors } from "./errors.ts";
import { toCitations } from "./grounding.ts";
import { type ChoiceState, partEvent } from "./part-events.ts";
import { type Chunk, type ChunkCandidate, type ChunkLogProbs, type ChunkUsage, chunkSchema } from "./wire.ts";

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
  usage: ChunkUsage | undefined;
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
  // Counts are cumulative. A chunk may omit some of them.
  if (chunk.usageMetadata) answer.usage = { ...answer.usage, ...chunk.usageMetadata };
  answer.blockReason ||= chunk.promptFeedback?.blockReason ?? "";
  for (const [name, value] of otherFields(chunk, chunkFields)) answer.metadata.add(name, value);
  const { modelVersion } = chunk;
  // An alias, such as gemini-flash-latest, stands for another model.
  const isOther = typeof modelVersion === "string" && !modelVersion.startsWith(call.attempt.providerModel);
  if (isOther) answer.metadata.add("modelVersion", modelVersion);
  for (const candidate of chunk.candidates ?? []) candidateEvents(answer, candidate, batch);
  return false;
}

/** Appends the final events of a response to `batch`. Throws if the finish reason of a candidate is missing. */
export function endEvents(
  { call, choices, blockReason, lost, usage, metadata }: AnswerState,
  batch: ChatEvent[],
): void {
  const entries = [...choices].sort(([a], [b]) => a - b);
  if (entries.some(([, { finishReason }]) => finishReason === "")) throw cutAnswer(call);
  if (entries.length === 0) {
    if (blockReason === "") throw cutAnswer(call);
    batch.push(finished(0, FinishReason.CONTENT_FILTER, blockReason));
  }
  const warnings = [...lost].map((kind) => omission(`a part with ${kind}`, "the contract has no place for it"));
  for (const [index, state] of entries) {
    if (state.partial) throw malformedAnswer(call, "a tool call is incomplete");
    const { grounding: groundingMetadata, citationMetadata, urlContextMetadata } = state;
    const { cited, sources } = toCitations({ groundingMetadata, citationMetadata, urlContextMetadata }, state.texts);
    for (const { part, citation } of cited) batch.push(citationDelta(index, part, citation));
    state.metadata.add("groundingMetadata", groundingMetadata);
    const facts = { sources: [...sources], providerMetadataJson: state.metadata.toJson() };
    batch.push(finished(index, toFinishReason(state), state.finishReason, "", facts));
    warnings.push(...state.metadata.warnings());
  }
  warnings.push(...metadata.warnings());
  batch.push(completed({ warnings, providerMetadataJson: metadata.toJson(), ...(usage && { usage: toUsage(usage) }) }));
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
  const { call } = answer;
  const index = candidate.index ?? 0;
  const known = answer.choices.get(index);
  const state = known ?? newChoice();
  if (known === undefined) answer.choices.set(index, state);
  let logprobs = candidate.logprobsResult ? toLogProbs(candidate.logprobsResult) : undefined;
  for (const part of candidate.content?.parts ?? []) {
    const event = partEvent(answer, state, index, part, logprobs);
    if (event === undefined) continue;
    if (event.value.logprobs !== undefined) logprobs = undefined;
    batch.push(event);
  }
  for (const [name, value] of otherFields(candidate, candidateFields)) state.metadata.add(name, value);
  const { groundingMetadata, citationMetadata, urlContextMetadata } = candidate;
  if (isFields(groundingMetadata)) {
    state.grounding = { ...state.grounding, ...Object.fromEntries(otherFields(groundingMetadata, new Set())) };
  }
  state.citationMetadata = citationMetadata ?? state.citationMetadata;
  state.urlContextMetadata = urlContextMetadata ?? state.urlContextMetadata;
  const reason = candidate.finishReason ?? "";
  if (toolCallFailures.has(reason)) throw toolCallFailure(call, reason, candidate.finishMessage ?? "");
  if (failures.has(reason)) throw failedAnswer(call, "PROVIDER_FAULT", reason);
  if (reason !== "") state.finishReason = reason;
}

function newChoice(): ChoiceState {
  const nothing = { partial: undefined, grounding: {}, citationMetadata: undefined, urlContextMetadata: undefined };
  return { parts: 0, open: undefined, calls: 0, finishReason: "", texts: [], metadata: new Metadata(), ...nothing };
}

/** Fields of a chunk that Dragoman reads, or that say nothing to a caller. */
const chunkFields: ReadonlySet<string> = new Set([
  ...["candidates", "usageMetadata", "responseId", "modelVersion", "createTime", "sdkHttpResponse"],
]);

/** Fields of a candidate that Dragoman reads. Grounding is added at the end, when it is complete. */
const candidateFields: ReadonlySet<string> = new Set([
  ...["index", "content", "finishReason", "logprobsResult", "groundingMetadata"],
]);

function toFinishReason({ finishReason, calls }: ChoiceState): FinishReason {
  const reason = lookUp(finishReasons, finishReason);
  // The API has no finish reason for tool calls: it reports STOP.
  return reason === FinishReason.STOP && calls > 0 ? FinishReason.TOOL_CALLS : (reason ?? FinishReason.OTHER);
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

/** Converts usage. `Usage` includes in output the reasoning, and in input the prompts of Google's own tools. */
function toUsage(usage: ChunkUsage): Usage {
  const input = (usage.promptTokenCount ?? 0) + (usage.toolUsePromptTokenCount ?? 0);
  const output = (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0);
  return exactUsage(input, output, {
    cachedInputTokens: usage.cachedContentTokenCount,
    reasoningTokens: usage.thoughtsTokenCount,
    audioInputTokens: tokensOf("AUDIO", usage.promptTokensDetails),
    imageInputTokens: tokensOf("IMAGE", usage.promptTokensDetails),
    audioOutputTokens: tokensOf("AUDIO", usage.candidatesTokensDetails),
    imageOutputTokens: tokensOf("IMAGE", usage.candidatesTokensDetails),
  });
}

/** Returns the tokens of one modality. Undefined if Google does not list it. */
function tokensOf(modality: string, details: ChunkUsage["promptTokensDetails"]): number | undefined {
  return details?.find((entry) => entry.modality === modality)?.tokenCount ?? undefined;
}

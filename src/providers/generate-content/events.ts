import {
  type ChatEvent,
  completed,
  type DeltaEvent,
  finished,
  reasoningDelta,
  textDelta,
  toolCallDelta,
} from "../../chat/stream/events.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { LogProbs } from "../../gen/dragoman/v1/logprobs_pb.js";
import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import type { Warning } from "../../gen/dragoman/v1/warning_pb.js";
import { lookUp } from "../../look-up.ts";
import { cutAnswer, malformedAnswer } from "../../upstream/errors.ts";
import type { ServerSentEvent } from "../../upstream/sse.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { failedAnswer, toolCallFailure } from "../kit/errors.ts";
import { parseAnswer, parseJson } from "../kit/parse-answer.ts";
import { stateOf } from "../kit/provider-state.ts";
import { exactUsage } from "../kit/usage.ts";
import { newCallId } from "./call-ids.ts";
import { googleErrors } from "./errors.ts";
import {
  type Chunk,
  type ChunkCandidate,
  type ChunkLogProbs,
  type ChunkPart,
  type ChunkUsage,
  chunkSchema,
} from "./wire.ts";

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

/** Candidate (Google's word for a choice) in progress. Parts are numbered in the order in which they start. */
interface ChoiceState {
  parts: number;
  /** Kind of the last part, if the next delta can extend it. */
  open: "text" | "reasoning" | undefined;
  calls: number;
  finishReason: string;
}

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
}

export function startAnswer(call: UpstreamCall, hideReasoning: boolean): AnswerState {
  return { call, hideReasoning, choices: new Map(), lost: new Set(), blockReason: "", usage: undefined };
}

/**
 * Converts one chunk and appends the results to `batch`. A response without streaming is one chunk. Always returns
 * false: only the end of the body ends the response.
 */
export function toEvents(answer: AnswerState, { data }: ServerSentEvent, batch: ChatEvent[]): boolean {
  const { call } = answer;
  const value = parseJson(data, call, data.includes('"functionCall"') ? keepDigits : undefined);
  const chunk = parseAnswer(value, chunkSchema, call, googleErrors, holdsError);
  if (chunk.responseId) call.attempt.providerResponseId = chunk.responseId;
  // Counts are cumulative. A chunk may omit some of them.
  if (chunk.usageMetadata) answer.usage = { ...answer.usage, ...chunk.usageMetadata };
  answer.blockReason ||= chunk.promptFeedback?.blockReason ?? "";
  for (const candidate of chunk.candidates ?? []) candidateEvents(answer, candidate, batch);
  return false;
}

/** Appends the final events of a response to `batch`. Throws if the finish reason of a candidate is missing. */
export function endEvents({ call, choices, blockReason, lost, usage }: AnswerState, batch: ChatEvent[]): void {
  const entries = [...choices].sort(([a], [b]) => a - b);
  if (entries.some(([, { finishReason }]) => finishReason === "")) throw cutAnswer(call);
  if (entries.length === 0) {
    if (blockReason === "") throw cutAnswer(call);
    batch.push(finished(0, FinishReason.CONTENT_FILTER, blockReason));
  }
  for (const [index, state] of entries) batch.push(finished(index, toFinishReason(state), state.finishReason));
  batch.push(completed({ warnings: [...lost].map(lostWarning), ...(usage && { usage: toUsage(usage) }) }));
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
  const state = known ?? { parts: 0, open: undefined, calls: 0, finishReason: "" };
  if (known === undefined) answer.choices.set(index, state);
  let logprobs = candidate.logprobsResult ? toLogProbs(candidate.logprobsResult) : undefined;
  for (const part of candidate.content?.parts ?? []) {
    const event = partEvent(answer, state, index, part, logprobs);
    if (event === undefined) continue;
    if (event.value.logprobs !== undefined) logprobs = undefined;
    batch.push(event);
  }
  const reason = candidate.finishReason ?? "";
  if (toolCallFailures.has(reason)) throw toolCallFailure(call, reason, candidate.finishMessage ?? "");
  if (failures.has(reason)) throw failedAnswer(call, "PROVIDER_FAULT", reason);
  if (reason !== "") state.finishReason = reason;
}

function partEvent(
  answer: AnswerState,
  state: ChoiceState,
  index: number,
  part: ChunkPart,
  logprobs: LogProbs | undefined,
): DeltaEvent | undefined {
  const { text, thought, thoughtSignature: signature, functionCall, ...rest } = part;
  if (functionCall) {
    const { id, name, args, partialArgs } = functionCall;
    // The API streams partial arguments, which Dragoman does not support, only if the provider options request it.
    if (!name || partialArgs !== undefined) throw malformedAnswer(answer.call, "a tool call is incomplete");
    state.open = undefined;
    state.calls++;
    const json = JSON.stringify(args ?? {});
    return signed(toolCallDelta(index, state.parts++, json, id || newCallId(), name), answer, signature);
  }
  const others = Object.keys(rest);
  if (typeof text !== "string" && others.length > 0) {
    for (const other of others) answer.lost.add(other);
    return undefined;
  }
  const kind = thought ? "reasoning" : "text";
  if (thought && answer.hideReasoning) {
    answer.call.hadHiddenOutput ||= Boolean(text);
    return undefined;
  }
  const textLogprobs = thought ? undefined : logprobs;
  if (!text && !signature && textLogprobs === undefined) return undefined;
  // The caller must send a part with a signature back unchanged, so Dragoman does not merge it with other parts.
  // https://ai.google.dev/gemini-api/docs/thought-signatures
  if (state.open !== kind || signature) state.parts++;
  state.open = signature ? undefined : kind;
  const partIndex = state.parts - 1;
  const event = thought
    ? reasoningDelta(index, partIndex, text ?? "")
    : textDelta(index, partIndex, text ?? "", textLogprobs);
  return signed(event, answer, signature);
}

function signed(event: DeltaEvent, { call }: AnswerState, signature: string | null | undefined): DeltaEvent {
  if (signature) {
    event.value.providerState = stateOf(call, Buffer.from(signature));
  }
  return event;
}

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

function lostWarning(kind: string): Warning {
  return {
    $typeName: "dragoman.v1.Warning",
    reason: "UNSUPPORTED_PARAMETER",
    field: "",
    message: `the response had a part of the unsupported kind ${kind}: it is omitted`,
  };
}

import { type ChatEvent, completed, finished, reasoningDelta, refusalDelta, textDelta } from "../../chat/events.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { UpstreamCall } from "../upstream/call.ts";
import { locateErrorIn } from "../upstream/error-body.ts";
import { callFailure, embeddedFailure } from "../upstream/errors.ts";
import { toLogProbs } from "./logprobs.ts";
import { ToolCalls } from "./tool-calls.ts";
import { toUsage } from "./usage.ts";
import { type Chunk, type ChunkChoice, type ChunkMessage, type ChunkUsage, chunkSchema } from "./wire.ts";

const finishReasons: Readonly<Record<string, FinishReason>> = {
  stop: FinishReason.STOP,
  eos: FinishReason.STOP,
  end_turn: FinishReason.STOP,
  complete: FinishReason.STOP,
  length: FinishReason.LENGTH,
  max_tokens: FinishReason.LENGTH,
  model_length: FinishReason.LENGTH,
  tool_calls: FinishReason.TOOL_CALLS,
  function_call: FinishReason.TOOL_CALLS,
  tool_use: FinishReason.TOOL_CALLS,
  content_filter: FinishReason.CONTENT_FILTER,
  safety: FinishReason.CONTENT_FILTER,
  sensitive: FinishReason.CONTENT_FILTER,
};

/** Finish reasons that are failures: OpenRouter's, SGLang's, DeepSeek's. */
const failures: ReadonlySet<string> = new Set(["error", "abort", "insufficient_system_resource"]);

/** One choice as far as it has come. Parts are numbered in the order in which they begin. */
interface ChoiceState {
  parts: number;
  text: number | undefined;
  reasoning: number | undefined;
  refusal: number | undefined;
  readonly calls: ToolCalls;
  finishReason: string;
  matchedStop: string;
}

/** An answer as far as it has come. */
export interface AnswerState {
  readonly call: UpstreamCall;
  /** Leaves the reasoning out. */
  readonly hideReasoning: boolean;
  readonly choices: Map<number, ChoiceState>;
  usage: ChunkUsage | undefined;
  serviceTier: string;
  systemFingerprint: string;
}

export function startAnswer(call: UpstreamCall, hideReasoning: boolean): AnswerState {
  return { call, hideReasoning, choices: new Map(), usage: undefined, serviceTier: "", systemFingerprint: "" };
}

/** Appends the events of one chunk, given as JSON text, to a batch. A whole answer is read like one large chunk. */
export function toEvents(answer: AnswerState, json: string, batch: ChatEvent[]): void {
  const { call } = answer;
  const chunk = parseChunk(json, call);
  if (chunk.id) call.attempt.providerResponseId = chunk.id;
  answer.usage = chunk.usage ?? chunk.x_groq?.usage ?? answer.usage;
  answer.serviceTier = chunk.service_tier ?? answer.serviceTier;
  answer.systemFingerprint = chunk.system_fingerprint ?? answer.systemFingerprint;
  for (const choice of chunk.choices ?? []) choiceEvents(answer, choice, batch);
}

/** The events of the end of an answer. Throws when a choice was not finished: then the answer was cut. */
export function endEvents({ call, choices, ...answer }: AnswerState): ChatEvent[] {
  const batch: ChatEvent[] = [];
  const entries = [...choices].sort(([a], [b]) => a - b);
  if (entries.length === 0 || entries.some(([, { finishReason }]) => finishReason === "")) {
    throw callFailure(
      "PROVIDER_STREAM_INTERRUPTED",
      "the provider's answer ended before it was whole: try again",
      call,
    );
  }
  // Not before the end: some servers send content after a finish reason.
  for (const [index, choice] of entries) {
    const rest = choice.calls.end();
    if (rest === undefined) throw malformed(call, "a tool call has no name");
    batch.push(...rest, finished(index, toFinishReason(choice), choice.finishReason, choice.matchedStop));
  }
  const { usage, serviceTier, systemFingerprint } = answer;
  batch.push(completed({ serviceTier, systemFingerprint, ...(usage && { usage: toUsage(usage) }) }));
  return batch;
}

function errorIn(value: unknown, call: UpstreamCall) {
  const error = locateErrorIn(value);
  return error && embeddedFailure(error, call);
}

export function malformed(call: UpstreamCall, what: string, cause?: unknown) {
  const reason = call.outputStarted ? "PROVIDER_STREAM_INTERRUPTED" : "PROVIDER_FAULT";
  return callFailure(reason, `the provider's answer is malformed: ${what}`, call, { cause });
}

function parseChunk(json: string, call: UpstreamCall): Chunk {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // Without the cause: a SyntaxError quotes the text.
    throw malformed(call, "it is not JSON");
  }
  const parsed = chunkSchema.safeParse(value);
  // Errors come first: they look like chunks without choices, and what beside them is a chunk is of no use.
  if (!parsed.success || saysError(parsed.data)) {
    throw errorIn(value, call) ?? malformed(call, "it has an unexpected form", parsed.error);
  }
  return parsed.data;
}

function saysError({ error, object, detail, choices }: Chunk): boolean {
  return (error ?? undefined) !== undefined || object === "error" || (detail !== undefined && !choices);
}

function choiceEvents(answer: AnswerState, choice: ChunkChoice, batch: ChatEvent[]): void {
  const { call } = answer;
  const reason = choice.finish_reason ?? "";
  if ((choice.error ?? undefined) !== undefined || failures.has(reason)) {
    throw (
      errorIn({ error: choice.error }, call) ??
      callFailure(
        call.outputStarted ? "PROVIDER_STREAM_INTERRUPTED" : "PROVIDER_UNAVAILABLE",
        "the provider failed in its answer: try again",
        call,
        { code: reason },
      )
    );
  }
  const index = choice.index ?? 0;
  const state = answer.choices.get(index) ?? beginChoice(answer, index);
  const before = batch.length;
  const message = choice.delta ?? choice.message;
  if (message) messageEvents(answer, state, index, message, choice, batch);
  if (batch.length > before) call.outputStarted = true;
  if (reason !== "") state.finishReason = reason;
  const matched = choice.stop_reason ?? choice.matched_stop;
  if (typeof matched === "string") state.matchedStop = matched;
}

function beginChoice(answer: AnswerState, index: number): ChoiceState {
  const state: ChoiceState = {
    parts: 0,
    text: undefined,
    reasoning: undefined,
    refusal: undefined,
    calls: new ToolCalls(index, () => state.parts++),
    finishReason: "",
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
  { logprobs }: ChunkChoice,
  batch: ChatEvent[],
): void {
  // Together sends the same text in both fields.
  const reasoning = message.reasoning_content || message.reasoning || "";
  const reasoningLogProbs = logprobs ? toLogProbs(logprobs.reasoning_content) : undefined;
  if (!answer.hideReasoning && (reasoning !== "" || reasoningLogProbs !== undefined)) {
    state.reasoning ??= state.parts++;
    batch.push(reasoningDelta(index, state.reasoning, reasoning, reasoningLogProbs));
  }
  const { content } = message;
  const text = typeof content === "string" ? content : (content?.map((part) => part.text ?? "").join("") ?? "");
  const textLogProbs = logprobs ? toLogProbs(logprobs.content) : undefined;
  if (text !== "" || textLogProbs !== undefined) {
    state.text ??= state.parts++;
    batch.push(textDelta(index, state.text, text, textLogProbs));
  }
  const refusalLogProbs = logprobs ? toLogProbs(logprobs.refusal) : undefined;
  if (message.refusal || refusalLogProbs !== undefined) {
    state.refusal ??= state.parts++;
    batch.push(refusalDelta(index, state.refusal, message.refusal ?? "", refusalLogProbs));
  }
  for (const fragment of message.tool_calls ?? []) {
    const event = state.calls.toEvent(fragment);
    if (event !== undefined) batch.push(event);
  }
}

function toFinishReason({ finishReason, refusal, calls }: ChoiceState): FinishReason {
  const reason = Object.hasOwn(finishReasons, finishReason) ? finishReasons[finishReason] : undefined;
  if (reason !== FinishReason.STOP) return reason ?? FinishReason.OTHER;
  // Several servers say stop after tool calls, and OpenAI says it after a refusal.
  if (refusal !== undefined) return FinishReason.CONTENT_FILTER;
  return calls.count > 0 ? FinishReason.TOOL_CALLS : FinishReason.STOP;
}

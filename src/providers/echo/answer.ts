import {
  type ChatEvent,
  finished,
  reasoningDelta,
  refusalDelta,
  textDelta,
  toolCallDelta,
} from "../../chat/stream/events.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { LogProbs } from "../../gen/dragoman/v1/logprobs_pb.js";
import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { type Usage, UsageQuality } from "../../gen/dragoman/v1/usage_pb.js";
import type { Said, Script } from "./script.ts";

/** An answer that is known before it is said. */
interface Answer {
  /** Each delta, made when it is asked for: an answer may be longer than memory. Choices take turns. */
  deltas(): Generator<ChatEvent, void>;
  readonly finished: readonly ChatEvent[];
  readonly usage: Usage | undefined;
}

/** One part of a choice's message. */
interface PlannedPart {
  readonly kind: "text" | "reasoning" | "refusal" | "toolCall";
  readonly count: number;
  delta(choiceIndex: number, partIndex: number, place: number): ChatEvent;
}

interface PlannedChoice {
  readonly parts: readonly PlannedPart[];
  /** Deltas that are said: those of the parts, cut at max_output_tokens. */
  readonly count: number;
  readonly finished: ChatEvent;
}

export function planAnswer(request: ChatRequest, script: Script, prompt: string): Answer {
  const choices = Array.from({ length: request.parameters?.n ?? 1 }, (_, index) =>
    planChoice(index, script.choices[index] ?? script, { request, prompt, large: script.large }),
  );
  const longest = Math.max(...choices.map(({ count }) => count));
  const hidesReasoning = request.reasoning?.format === ReasoningFormat.HIDDEN;
  return {
    *deltas() {
      for (let place = 0; place < longest; place++) {
        for (let index = 0; index < choices.length; index++) {
          const choice = choices[index];
          if (choice === undefined || place >= choice.count) continue;
          const delta = deltaAt(choice, index, place, hidesReasoning);
          if (delta !== undefined) yield delta;
        }
      }
    },
    finished: choices.map((choice) => choice.finished),
    usage: script.usage === "none" ? undefined : countUsage(request, script.usage, choices),
  };
}

/** The delta of a place; undefined for a thought that is hidden, which counts all the same. */
function deltaAt(
  { parts }: PlannedChoice,
  choiceIndex: number,
  place: number,
  hidesReasoning: boolean,
): ChatEvent | undefined {
  // It comes first.
  const hidden = hidesReasoning && parts[0]?.kind === "reasoning" ? 1 : 0;
  let rest = place;
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index];
    if (part === undefined) break;
    if (rest < part.count) return index < hidden ? undefined : part.delta(choiceIndex, index - hidden, rest);
    rest -= part.count;
  }
  throw new RangeError(`the choice has no delta ${place}`);
}

interface Setting {
  readonly request: ChatRequest;
  readonly prompt: string;
  readonly large: number | undefined;
}

function planChoice(index: number, said: Said, { request, prompt, large }: Setting): PlannedChoice {
  const { maxOutputTokens, stopSequences = [], logprobs, topLogprobs = 0 } = request.parameters ?? {};
  const top = logprobs ? topLogprobs : undefined;
  const pieces = said.deltas ?? words(said.text ?? (said.refusal || said.tool_calls.length > 0 ? "" : prompt));
  const text = stopAt(
    large === undefined ? pieces : new Array<string>(pieces.length).fill("x".repeat(large)),
    said.repeat,
    stopSequences,
  );
  const parts = [
    spokenPart("reasoning", words(said.reasoning), 1, top),
    spokenPart("text", text.pieces, text.repeat, top),
  ];
  if (text.stop === "") {
    parts.push(spokenPart("refusal", words(said.refusal), 1, top));
    for (const [place, call] of said.tool_calls.entries()) {
      // Unique in the conversation, as the contract says: a conversation grows with each turn.
      parts.push(callPart(call, `call_${request.messages.length}_${index}_${place}`));
    }
  }
  const spoken = parts.filter(({ count }) => count > 0);
  const whole = spoken.reduce((sum, { count }) => sum + count, 0);
  const count = Math.min(whole, maxOutputTokens ?? whole);
  const reason = said.finish_reason ?? (count < whole ? "LENGTH" : naturalEnd(spoken.at(-1)));
  const matched = count < whole ? "" : text.stop;
  return { parts: spoken, count, finished: finished(index, FinishReason[reason], reason.toLowerCase(), matched) };
}

function naturalEnd(last: PlannedPart | undefined): "STOP" | "TOOL_CALLS" | "CONTENT_FILTER" {
  if (last?.kind === "toolCall") return "TOOL_CALLS";
  return last?.kind === "refusal" ? "CONTENT_FILTER" : "STOP";
}

const builders = { text: textDelta, reasoning: reasoningDelta, refusal: refusalDelta };

function spokenPart(
  kind: keyof typeof builders,
  pieces: readonly string[],
  repeat: number,
  top: number | undefined,
): PlannedPart {
  const build = builders[kind];
  return {
    kind,
    count: pieces.length * repeat,
    delta(choiceIndex, partIndex, place) {
      const piece = pieces[place % pieces.length] ?? "";
      return build(choiceIndex, partIndex, piece, top === undefined ? undefined : logprobsOf(piece, place, top));
    },
  };
}

function callPart(call: Said["tool_calls"][number], id: string): PlannedPart {
  const text = typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments);
  // By code points: half a surrogate pair cannot be encoded.
  const points = Array.from(text);
  const size = Math.ceil(points.length / call.fragments);
  return {
    kind: "toolCall",
    count: call.fragments,
    delta(choiceIndex, partIndex, place) {
      const fragment = points.slice(place * size, (place + 1) * size).join("");
      return place === 0
        ? toolCallDelta(choiceIndex, partIndex, fragment, call.id ?? id, call.name)
        : toolCallDelta(choiceIndex, partIndex, fragment);
    },
  };
}

/** Cuts a text that is said `repeat` times right before the first stop sequence in it. */
function stopAt(pieces: readonly string[], repeat: number, stops: readonly string[]) {
  const once = stops.length > 0 ? pieces.join("") : "";
  if (once === "") return { pieces, repeat, stop: "" };
  // A repeated text has its first match where its first copy is, so a few copies are enough to find it.
  const longest = Math.max(...stops.map(({ length }) => length));
  const text = once.repeat(Math.min(repeat, 1 + Math.ceil(longest / once.length)));
  const found = stops.map((stop) => ({ stop, at: text.indexOf(stop) })).filter(({ at }) => at >= 0);
  const first = found.sort((a, b) => a.at - b.at)[0];
  if (first === undefined) return { pieces, repeat, stop: "" };
  const kept: string[] = [];
  let rest = first.at;
  for (const piece of pieces) {
    if (rest <= 0) break;
    kept.push(piece.slice(0, rest));
    rest -= piece.length;
  }
  return { pieces: kept, repeat: 1, stop: first.stop };
}

/** The words of a text, each with the white space after it. Joined they are the text. */
function words(text: string): readonly string[] {
  return text.match(/\s*\S+\s*|\s+/g) ?? [];
}

/** Numbers that look like log probabilities: eighths, so that they are exact, and one less for each further rank. */
function logprobsOf(token: string, place: number, top: number): LogProbs {
  const logprob = 0 - (place % 8) / 8;
  const topLogprobs = Array.from({ length: top }, (_, rank) => ({
    $typeName: "dragoman.v1.TopLogProb" as const,
    token: rank === 0 ? token : `${token}~${rank}`,
    logprob: logprob - rank,
  }));
  return {
    $typeName: "dragoman.v1.LogProbs",
    tokens: [{ $typeName: "dragoman.v1.TokenLogProb", token, logprob, topLogprobs }],
  };
}

/** A word of the request is an input token, a delta an output token. */
function countUsage(
  request: ChatRequest,
  scripted: Exclude<Script["usage"], "none">,
  choices: readonly PlannedChoice[],
): Usage {
  const parts = request.messages.flatMap((message) => message.parts);
  const inputTokens = scripted.input_tokens ?? parts.reduce((sum, { kind }) => sum + countWords(kind), 0);
  const outputTokens = scripted.output_tokens ?? choices.reduce((sum, { count }) => sum + count, 0);
  return {
    $typeName: "dragoman.v1.Usage",
    inputTokens,
    outputTokens,
    totalTokens: scripted.total_tokens ?? inputTokens + outputTokens,
    cachedInputTokens: scripted.cached_input_tokens,
    cacheWriteInputTokens: scripted.cache_write_input_tokens,
    reasoningTokens: scripted.reasoning_tokens ?? choices.reduce((sum, choice) => sum + countReasoning(choice), 0),
    acceptedPredictionTokens: scripted.accepted_prediction_tokens,
    rejectedPredictionTokens: scripted.rejected_prediction_tokens,
    quality: UsageQuality[scripted.quality],
  };
}

/** Reasoning is always the first part. */
function countReasoning({ parts: [first], count }: PlannedChoice): number {
  return first?.kind === "reasoning" ? Math.min(first.count, count) : 0;
}

function countWords(kind: Part["kind"]): number {
  switch (kind.case) {
    case "text":
    case "refusal":
      return wordsIn(kind.value);
    case "reasoning":
      return wordsIn(kind.value.text);
    case "toolCall":
      return wordsIn(kind.value.argumentsJson);
    case "toolResult":
      return kind.value.parts.reduce(
        (sum, part) => sum + (part.kind.case === "text" ? wordsIn(part.kind.value) : 0),
        0,
      );
    case "media":
    case undefined:
      return 0;
    default:
      return kind satisfies never;
  }
}

function wordsIn(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

import { append } from "../../append.ts";
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
import { exactUsage } from "../kit/usage.ts";
import { jsonOf, mediaPart, type PlannedPart, serverToolParts, withCitations } from "./planned-parts.ts";
import type { Said, Script } from "./script.ts";

/** Response that is planned completely before it is sent. */
interface Answer {
  /** Generates the deltas on demand, because a response may be larger than the memory. Choices take turns. */
  deltas(): Generator<ChatEvent, void>;
  readonly finished: readonly ChatEvent[];
  readonly usage: Usage | undefined;
}

interface PlannedChoice {
  readonly parts: readonly PlannedPart[];
  /** Number of deltas to send: at most max_output_tokens. */
  readonly count: number;
  readonly finished: ChatEvent;
}

export function planAnswer(request: ChatRequest, script: Script, prompt: string): Answer {
  const choices = Array.from({ length: request.parameters?.n ?? 1 }, (_, index) =>
    planChoice(index, script.choices[index] ?? script, { request, prompt, large: script.large }),
  );
  const hidesReasoning = request.reasoning?.format === ReasoningFormat.HIDDEN;
  return {
    deltas: () => deltasOf(choices, hidesReasoning),
    finished: choices.map((choice) => choice.finished),
    usage: script.usage === "none" ? undefined : countUsage(request, script.usage, choices),
  };
}

/** Yields the deltas of all choices in turn. */
function* deltasOf(choices: readonly PlannedChoice[], hidesReasoning: boolean): Generator<ChatEvent, void, undefined> {
  const longest = Math.max(...choices.map(({ count }) => count));
  for (let position = 0; position < longest; position++) {
    for (let index = 0; index < choices.length; index++) {
      const choice = choices[index];
      if (choice === undefined || position >= choice.count) continue;
      const delta = deltaAt(choice, index, position, hidesReasoning);
      if (delta !== undefined) yield delta;
    }
  }
}

/** Returns the delta at a position; undefined for hidden reasoning, which still counts as output. */
function deltaAt(
  { parts }: PlannedChoice,
  choiceIndex: number,
  position: number,
  hidesReasoning: boolean,
): ChatEvent | undefined {
  // Reasoning is always the first part, so hiding it lowers the index of every other part by 1.
  const hidden = hidesReasoning && parts[0]?.kind === "reasoning" ? 1 : 0;
  let rest = position;
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index];
    if (part === undefined) break;
    if (rest < part.count) return index < hidden ? undefined : part.delta(choiceIndex, index - hidden, rest);
    rest -= part.count;
  }
  throw new RangeError(`the choice has no delta ${position}`);
}

interface Setting {
  readonly request: ChatRequest;
  readonly prompt: string;
  readonly large: number | undefined;
}

function planChoice(index: number, said: Said, { request, prompt, large }: Setting): PlannedChoice {
  const { maxOutputTokens, stopSequences = [], logprobs, topLogprobs = 0 } = request.parameters ?? {};
  const top = logprobs ? topLogprobs : undefined;
  const isScripted = said.refusal || [said.tool_calls, said.server_tools, said.media].some(({ length }) => length > 0);
  const pieces = said.deltas ?? words(said.text ?? (isScripted ? "" : prompt));
  const text = stopAt(
    large === undefined ? pieces : new Array<string>(pieces.length).fill("x".repeat(large)),
    said.repeat,
    stopSequences,
  );
  // Unique in the conversation, as Dragoman's API requires: the number of messages grows with each turn.
  const idOf = (kind: string, place: number) => `${kind}_${request.messages.length}_${index}_${place}`;
  const parts = [
    textPart("reasoning", words(said.reasoning), 1, top),
    ...said.server_tools.flatMap((tool, place) => serverToolParts(tool, tool.id ?? idOf("server", place))),
    withCitations(textPart("text", text.pieces, text.repeat, top), said.citations),
  ];
  if (text.stop === "") {
    append(parts, said.media.map(mediaPart));
    parts.push(textPart("refusal", words(said.refusal), 1, top));
    append(
      parts,
      said.tool_calls.map((call, place) => callPart(call, idOf("call", place))),
    );
  }
  const planned = parts.filter(({ count }) => count > 0);
  const total = planned.reduce((sum, { count }) => sum + count, 0);
  const count = Math.min(total, maxOutputTokens ?? total);
  const reason = said.finish_reason ?? (count < total ? "LENGTH" : naturalEnd(planned.at(-1)));
  const matched = count < total ? "" : text.stop;
  const end = finished(index, FinishReason[reason], reason.toLowerCase(), matched);
  if (end.case === "finished") {
    end.value.sources = said.sources;
    end.value.providerMetadataJson = jsonOf(said.provider_metadata);
  }
  return { parts: planned, count, finished: end };
}

function naturalEnd(last: PlannedPart | undefined): "STOP" | "TOOL_CALLS" | "CONTENT_FILTER" {
  if (last?.kind === "toolCall") return "TOOL_CALLS";
  return last?.kind === "refusal" ? "CONTENT_FILTER" : "STOP";
}

const builders = { text: textDelta, reasoning: reasoningDelta, refusal: refusalDelta };

function textPart(
  kind: keyof typeof builders,
  pieces: readonly string[],
  repeat: number,
  top: number | undefined,
): PlannedPart {
  const build = builders[kind];
  return {
    kind,
    count: pieces.length * repeat,
    delta(choiceIndex, partIndex, position) {
      const piece = pieces[position % pieces.length] ?? "";
      return build(choiceIndex, partIndex, piece, top === undefined ? undefined : logprobsOf(piece, position, top));
    },
  };
}

function callPart(call: Said["tool_calls"][number], id: string): PlannedPart {
  const text = typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments);
  // Split by code points, because half a surrogate pair cannot be encoded.
  const points = Array.from(text);
  const size = Math.ceil(points.length / call.fragments);
  return {
    kind: "toolCall",
    count: call.fragments,
    delta(choiceIndex, partIndex, position) {
      const fragment = points.slice(position * size, (position + 1) * size).join("");
      return position === 0
        ? toolCallDelta(choiceIndex, partIndex, fragment, call.id ?? id, call.name)
        : toolCallDelta(choiceIndex, partIndex, fragment);
    },
  };
}

/** Finds the first stop sequence in `repeat` copies of a text, and truncates the text directly before it. */
function stopAt(pieces: readonly string[], repeat: number, stops: readonly string[]) {
  const once = stops.length > 0 ? pieces.join("") : "";
  if (once === "") return { pieces, repeat, stop: "" };
  // The first match in a repeated text begins in its first copy, so a few copies are enough to find it.
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

/** Splits a text into words with the whitespace around them. The joined words are the text. */
function words(text: string): readonly string[] {
  return text.match(/\s*\S+\s*|\s+/g) ?? [];
}

/** Generates log probabilities: multiples of 1/8, which are exact in binary. Each further alternative is 1 lower. */
function logprobsOf(token: string, position: number, top: number): LogProbs {
  const logprob = 0 - (position % 8) / 8;
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

/** Counts each word of the request as an input token, and each delta as an output token, unless the script does. */
function countUsage(
  request: ChatRequest,
  scripted: Exclude<Script["usage"], "none">,
  choices: readonly PlannedChoice[],
): Usage {
  const parts = request.messages.flatMap((message) => message.parts);
  const inputTokens = scripted.input_tokens ?? parts.reduce((sum, { kind }) => sum + countWords(kind), 0);
  const outputTokens = scripted.output_tokens ?? choices.reduce((sum, { count }) => sum + count, 0);
  const usage = exactUsage(inputTokens, outputTokens, {
    cachedInputTokens: scripted.cached_input_tokens,
    cacheWriteInputTokens: scripted.cache_write_input_tokens,
    reasoningTokens: scripted.reasoning_tokens ?? choices.reduce((sum, choice) => sum + countReasoning(choice), 0),
    acceptedPredictionTokens: scripted.accepted_prediction_tokens,
    rejectedPredictionTokens: scripted.rejected_prediction_tokens,
  });
  const quality = UsageQuality[scripted.quality];
  return { ...usage, totalTokens: scripted.total_tokens ?? usage.totalTokens, quality };
}

/** Returns the number of reasoning deltas to send. Reasoning is always the first part. */
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
    case "searchResult":
      return kind.value.texts.reduce((sum, text) => sum + wordsIn(text), 0);
    case "media":
    case "serverToolCall":
    case "serverToolResult":
    case undefined:
      return 0;
    default:
      return kind satisfies never;
  }
}

function wordsIn(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

import { create } from "@bufbuild/protobuf";
import { append } from "../append.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import { type Media, MediaDetail } from "../gen/dragoman/v1/media_pb.js";
import type { Message, SearchResult } from "../gen/dragoman/v1/message_pb.js";
import type { Tool } from "../gen/dragoman/v1/tool_pb.js";
import { type Usage, UsageQuality, UsageSchema } from "../gen/dragoman/v1/usage_pb.js";
import { estimateTokens, type VocabularySize } from "./token-estimate.ts";
import { withinBounds } from "./usage-counts.ts";

/** Approximate characters per token of English text, for text of which only the length is known. */
const charactersPerToken = 4;

/** Estimates usage from the sizes of request and response, for providers that report no usage. */
export function estimateUsage(chat: ChatRequest, outputCharacters: number, quality: UsageQuality): Usage {
  const inputTokens = estimateChatTokens(chat);
  const outputTokens = Math.ceil(outputCharacters / charactersPerToken);
  return create(UsageSchema, { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, quality });
}

/**
 * Estimates the totals that a provider did not report: those of a usage with the quality UNSPECIFIED that are 0, and an
 * output of 0 tokens beside a text. The result has the quality ESTIMATED. Returns a complete usage unchanged.
 */
export function completeUsage(usage: Usage, chat: ChatRequest, outputCharacters: number): Usage {
  const { inputTokens: input, outputTokens: output, totalTokens: total } = usage;
  const lacksOutput = output === 0 && outputCharacters > 0;
  if (usage.quality !== UsageQuality.UNSPECIFIED && !lacksOutput) return usage;
  const estimate = estimateUsage(chat, outputCharacters, UsageQuality.ESTIMATED);
  const { cachedInputTokens = 0, cacheWriteInputTokens = 0, audioInputTokens = 0, imageInputTokens = 0 } = usage;
  const { reasoningTokens = 0, audioOutputTokens = 0, imageOutputTokens = 0 } = usage;
  const leastInput = Math.max(cachedInputTokens + cacheWriteInputTokens, audioInputTokens + imageInputTokens);
  const leastOutput = Math.max(reasoningTokens, audioOutputTokens + imageOutputTokens);
  const onlyTotal = input === 0 && output === 0 && total > leastInput + leastOutput;
  const guessed = input || Math.max(leastInput, estimate.inputTokens);
  const inputTokens = onlyTotal ? Math.min(guessed, total - leastOutput) : guessed;
  const outputTokens = onlyTotal ? total - inputTokens : output || Math.max(leastOutput, estimate.outputTokens);
  const quality = UsageQuality.ESTIMATED;
  return withinBounds({ ...usage, inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, quality });
}

/** Estimates the usage of a call that ended early, with quality PARTIAL. */
export function partialUsage(chat: ChatRequest, outputCharacters: number): Usage {
  return estimateUsage(chat, outputCharacters, UsageQuality.PARTIAL);
}

/**
 * Tokens that a chat adds to its texts: per message (besides its role), per name, and for the beginning of the
 * response. OpenAI's numbers; those of other providers are similar:
 * https://github.com/openai/openai-cookbook/blob/main/examples/How_to_count_tokens_with_tiktoken.ipynb
 */
export const chatOverhead = { message: 3, name: 1, answer: 3 } as const;

/** Estimates the tokens of the prompt. Expects the outgoing request, after all planning steps that change messages. */
export function estimateChatTokens(chat: ChatRequest, size?: VocabularySize): number {
  let tokens = chatOverhead.answer;
  for (const message of chat.messages) tokens += estimateMessageTokens(message, size);
  for (const tool of chat.tools) tokens += estimateTokens(toolText(tool), size);
  return tokens;
}

/**
 * Returns an upper bound of the prompt's tokens: a token has at least one byte, and a UTF-16 code unit at most three.
 * Fast, because it reads only lengths. If this bound fits the context window, no estimate is needed.
 */
export function mostChatTokens(chat: ChatRequest): number {
  return boundOf(chat, (text) => 3 * text.length);
}

/**
 * Returns a smaller upper bound of the prompt's tokens: its bytes in UTF-8. Each token of the vocabularies of OpenAI,
 * Llama and Mistral has at least one of them. Media are estimated, and tools count as their JSON.
 */
export function mostChatBytes(chat: ChatRequest): number {
  return boundOf(chat, (text) => Buffer.byteLength(text));
}

/** The numbers include what the chat adds for the beginning of a message, a text and a tool. */
function boundOf(chat: ChatRequest, most: (text: string) => number): number {
  let sum: number = chatOverhead.answer;
  for (const message of chat.messages) {
    const { texts, media } = contentOf(message);
    sum += most(message.name) + 8;
    for (const text of texts) sum += most(text) + 8;
    for (const one of media) sum += estimateMediaTokens(one);
  }
  for (const tool of chat.tools) sum += most(toolText(tool)) + 16;
  return sum;
}

/** Estimates the tokens of one message, including those that the chat adds to it. */
function estimateMessageTokens(message: Message, size?: VocabularySize): number {
  let tokens = chatOverhead.message + 1;
  if (message.name !== "") tokens += chatOverhead.name + estimateTokens(message.name, size);
  const { texts, media } = contentOf(message);
  for (const text of texts) tokens += estimateTokens(text, size);
  for (const one of media) tokens += estimateMediaTokens(one);
  return tokens;
}

/** Returns all texts of a message, in order, and its media. */
export function contentOf({ parts }: Message): { readonly texts: readonly string[]; readonly media: readonly Media[] } {
  const texts: string[] = [];
  const media: Media[] = [];
  for (const { kind } of parts) {
    switch (kind.case) {
      case "text":
      case "refusal":
        texts.push(kind.value);
        break;
      case "reasoning":
        texts.push(kind.value.text);
        break;
      case "toolCall":
        texts.push(kind.value.name, kind.value.argumentsJson);
        break;
      case "toolResult":
        for (const part of kind.value.parts) {
          if (part.kind.case === "text") texts.push(part.kind.value);
          if (part.kind.case === "media") media.push(part.kind.value);
          if (part.kind.case === "searchResult") append(texts, textsOf(part.kind.value));
        }
        break;
      case "media":
        media.push(kind.value);
        break;
      case "searchResult":
        append(texts, textsOf(kind.value));
        break;
      case "serverToolCall":
        texts.push(kind.value.name, kind.value.inputJson);
        break;
      case "serverToolResult":
        texts.push(kind.value.outputJson);
        break;
      case undefined:
        break;
      default:
        kind satisfies never;
    }
  }
  return { texts, media };
}

function textsOf({ source, title, texts }: SearchResult): readonly string[] {
  return [source, title, ...texts];
}

/** Returns a tool as text, for counting its tokens. */
export function toolText({ kind }: Tool): string {
  if (kind.case === "providerTool") return `${kind.value.type} ${kind.value.configJson}`;
  return kind.case === "function"
    ? `${kind.value.name} ${kind.value.description} ${kind.value.parametersJsonSchema}`
    : "";
}

/**
 * Estimates the tokens of an image: those that GPT-4o counts for 1024 x 1024 pixels
 * (https://platform.openai.com/docs/guides/images-vision). Audio, video and documents count 0, because their length is
 * unknown.
 */
export function estimateMediaTokens({ mediaType, detail, source }: Media): number {
  const isImage = mediaType.startsWith("image/") || (mediaType === "" && source.case === "url");
  if (!isImage) return 0;
  return detail === MediaDetail.LOW ? 85 : 765;
}

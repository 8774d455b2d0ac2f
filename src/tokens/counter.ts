import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { EmbeddingInput } from "../gen/dragoman/v1/embedding_service_pb.js";
import { type Message, Role } from "../gen/dragoman/v1/message_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { Tool } from "../gen/dragoman/v1/tool_pb.js";
import type { CountContext } from "./counting-limits.ts";
import { countingThread, type TextCount } from "./counting-thread.ts";
import type { TokenCount, TokenCounter } from "./token-count.ts";
import { estimateTokens } from "./token-estimate.ts";
import { chatOverhead, contentOf, estimateChatTokens, estimateMediaTokens, toolText } from "./usage-estimate.ts";
import { beginOf, vocabularyOf, vocabularySizeOf } from "./vocabulary-of-model.ts";

/** Models for which OpenAI documents the tokens that a chat adds to its texts (`chatOverhead`). */
const documentedChat = /^(ft:)?gpt-(3\.5-turbo|4|4-32k|4-turbo|4o|4o-mini)(-\d{4}.*|-16k.*|-preview|:.*)?$/;

/** OpenAI's names of the roles. */
const roles = {
  [Role.UNSPECIFIED]: "user",
  [Role.SYSTEM]: "system",
  [Role.DEVELOPER]: "developer",
  [Role.USER]: "user",
  [Role.ASSISTANT]: "assistant",
  [Role.TOOL]: "tool",
} as const satisfies Record<Role, string>;

/** A running token count and its uncertainty. */
interface Sum {
  readonly tokens: number;
  /** Uncertainty of `tokens`: the true count is within `tokens` ± `doubtful`. */
  readonly doubtful: number;
}

/** Message or tool definition. A counter counts each of them once and remembers the result. */
type Item = Message | Tool;

interface ItemSum extends Sum {
  /**
   * The part of `tokens` that is not message content: role, name and what the chat format adds. Exact only for models
   * that match `documentedChat`.
   */
  readonly overhead: number;
}

/** Maximum number of tokens that a chat template adds before a conversation. That of gpt-oss adds about 70. */
const undocumentedChat = 80;

/** Maximum number of tokens that the chat format adds for a tool, or for a part of a message unless `isPlain`. */
const perPart = 12;

/** Maximum error in tokens for each cut that may split a token (`Piece.torn`). */
const perTear = 4;

/**
 * Returns the range of the true count for an estimate of `tokens`: 0.5 to 1.8 times the estimate. All measured texts
 * that people and programs write are within the range (see `estimateTokens`). Artificial texts can be outside it: control
 * characters have up to 16 times the estimate, random signs 12 times, unassigned characters 8 times. `mostChatBytes` is
 * a bound for them, too.
 */
export function estimateBounds(tokens: number): Pick<TokenCount, "low" | "high"> {
  return { low: Math.floor(tokens * 0.5), high: Math.ceil(tokens * 1.8) };
}

/**
 * Creates a counter of prompt tokens for one model. Counts are exact for plain conversations with OpenAI's models up to
 * GPT-4o, because OpenAI documents the tokens that a chat adds. Otherwise `exact` is false: tools, media, messages with
 * several parts and other models' templates are estimated. Without a tokenizer for the model, the whole count is an
 * estimate.
 *
 * Create one counter per call. It remembers the count of each message, so that counting a trimmed conversation again is
 * cheap.
 *
 * A separate thread (`CountingThread`) loads the vocabulary and counts. If a count exceeds one of the limits, or if the
 * thread dies, this count and all later ones are estimates.
 *
 * @param dialect provider whose API the model's provider has. Default: that provider itself.
 */
export function tokenCounter(model: Model, context: CountContext, dialect = model.provider): TokenCounter {
  let known: WeakMap<Item, ItemSum> | undefined;
  let gaveUp = false;

  /** Counts the items that are not known yet, all in one job. Returns undefined if they cannot be counted. */
  async function sumsOf(items: readonly Item[]): Promise<readonly ItemSum[] | undefined> {
    const vocabulary = vocabularyOf(model);
    if (vocabulary === undefined || gaveUp) return undefined;
    known ??= new WeakMap();
    const sums = known;
    const unknown = items.filter((item) => !sums.has(item));
    if (unknown.length > 0) {
      const counts = await countingThread.count(vocabulary, unknown.map(textsOf), context);
      gaveUp ||= counts === undefined;
      if (counts === undefined) return undefined;
      unknown.forEach((item, index) => {
        sums.set(item, sumOf(item, counts[index] ?? []));
      });
    }
    return items.flatMap((item) => sums.get(item) ?? []);
  }

  const estimate = (chat: ChatRequest) => estimated(estimateChatTokens(chat, vocabularySizeOf(model)));
  return {
    estimate,
    async count(chat) {
      const sums = await sumsOf([...chat.messages, ...chat.tools]);
      if (sums === undefined) return estimate(chat);
      const documented = isDocumented(chat, model, dialect);
      let tokens: number = chatOverhead.answer;
      let doubtful = documented ? 0 : undocumentedChat;
      for (const sum of sums) {
        tokens += sum.tokens;
        doubtful += sum.doubtful + (documented ? 0 : sum.overhead);
      }
      return counted(tokens, doubtful);
    },
  };
}

/**
 * Counts the tokens of a raw prompt, such as one from a chat template. Includes the begin token that servers such as
 * vLLM put before a Llama or Mistral prompt that does not start with it. A control token, such as `<|eot_id|>`, counts
 * as one token if the model's server parses it.
 *
 * Returns an estimate in the same cases as `tokenCounter`.
 *
 * Microseconds per KB with OpenAI's vocabularies: 60 for English, 300 for base64, 600 for Russian, 1,900 for Chinese.
 * With those of Llama 2 and Mistral, at most 1,700. Source: `node scripts/measure-token-estimate.ts --cost`.
 */
export async function countTextTokens(text: string, model: Model, context: CountContext): Promise<TokenCount> {
  const vocabulary = vocabularyOf(model);
  const counts = vocabulary && (await countingThread.count(vocabulary, [[text]], context));
  if (vocabulary === undefined || counts === undefined) return estimated(estimateTokens(text, vocabularySizeOf(model)));
  const { tokens, doubtful } = total(counts.flat());
  const begin = beginOf(vocabulary);
  return counted(begin === undefined || text.startsWith(begin) ? tokens : tokens + 1, doubtful);
}

/** Counts the tokens of inputs to embed. Returns an estimate in the same cases as `tokenCounter`. */
export async function countInputTokens(
  inputs: readonly EmbeddingInput[],
  model: Model,
  context: CountContext,
): Promise<TokenCount> {
  const vocabulary = vocabularyOf(model);
  const texts = inputs.flatMap(({ kind }) => (kind.case === "text" ? [kind.value] : []));
  const ids = inputs.reduce((sum, { kind }) => sum + (kind.case === "tokenIds" ? kind.value.ids.length : 0), 0);
  const counts = vocabulary && (await countingThread.count(vocabulary, [texts], context));
  if (vocabulary !== undefined && counts !== undefined) {
    const { tokens, doubtful } = total(counts.flat());
    return counted(tokens + ids, doubtful);
  }
  const size = vocabularySizeOf(model);
  const { tokens, low, high } = estimated(texts.reduce((sum, text) => sum + estimateTokens(text, size), 0));
  return { tokens: tokens + ids, exact: texts.length === 0, low: low + ids, high: high + ids };
}

function estimated(tokens: number): TokenCount {
  return { tokens, exact: false, ...estimateBounds(tokens) };
}

function counted(tokens: number, doubtful: number): TokenCount {
  return { tokens, exact: doubtful === 0, low: Math.max(0, tokens - doubtful), high: tokens + doubtful };
}

function textsOf(item: Item): readonly string[] {
  if (item.$typeName === "dragoman.v1.Tool") return [toolText(item)];
  return [roles[item.role], item.name, ...contentOf(item).texts];
}

/** Adds up the tokens of an item from the counts of its texts. */
function sumOf(item: Item, counts: readonly TextCount[]): ItemSum {
  if (item.$typeName === "dragoman.v1.Tool") {
    const tokens = total(counts).tokens + perPart;
    return { tokens, doubtful: tokens, overhead: 0 };
  }
  const inName = item.name === "" ? 0 : chatOverhead.name;
  const overhead = chatOverhead.message + inName + total(counts.slice(0, 2)).tokens;
  const texts = total(counts.slice(2));
  const media = contentOf(item).media.reduce((sum, one) => sum + estimateMediaTokens(one), 0);
  const inParts = isPlain(item) ? 0 : perPart * item.parts.length;
  return { tokens: overhead + texts.tokens + media, doubtful: inParts + texts.doubtful + media, overhead };
}

function total(counts: readonly TextCount[]): Sum {
  let [tokens, doubtful] = [0, 0];
  for (const one of counts) {
    tokens += one.tokens;
    doubtful += perTear * one.torn;
  }
  return { tokens, doubtful };
}

/** Whether OpenAI documents the overhead of this message: a system, user or assistant message of one text. */
function isPlain({ role, parts }: Message): boolean {
  const isDocumentedRole = role === Role.SYSTEM || role === Role.USER || role === Role.ASSISTANT;
  return isDocumentedRole && parts.length === 1 && parts[0]?.kind.case === "text";
}

function isDocumented(chat: ChatRequest, { providerModel }: Model, dialect: string): boolean {
  const addsText = chat.outputFormat?.format.case === "jsonSchema" || chat.tools.length > 0;
  return dialect === "openai" && documentedChat.test(providerModel) && !addsText;
}

import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import { type Message, Role } from "../gen/dragoman/v1/message_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { Tool } from "../gen/dragoman/v1/tool_pb.js";
import { countingThread, type TextCount } from "./counting-thread.ts";
import type { TokenCount, TokenCounter } from "./token-count.ts";
import { estimateTokens } from "./token-estimate.ts";
import { chatOverhead, contentOf, estimateChatTokens, estimateMediaTokens, toolText } from "./usage-estimate.ts";
import { beginOf, vocabularyOf, vocabularySizeOf } from "./vocabulary-of-model.ts";

/** The models for whose messages OpenAI says what a chat adds: see `chatOverhead`. */
const documentedChat = /^(ft:)?gpt-(3\.5-turbo|4|4-32k|4-turbo|4o|4o-mini)(-\d{4}.*|-16k.*|-preview|:.*)?$/;

/** Roles as OpenAI writes them. */
const roles = {
  [Role.UNSPECIFIED]: "user",
  [Role.SYSTEM]: "system",
  [Role.DEVELOPER]: "developer",
  [Role.USER]: "user",
  [Role.ASSISTANT]: "assistant",
  [Role.TOOL]: "tool",
} as const satisfies Record<Role, string>;

/** A count as it grows: what is certain and what is a guess. */
interface Sum {
  readonly tokens: number;
  /** Of `tokens`, those that may be fewer, or more by as many again. */
  readonly doubtful: number;
}

/** What is counted once. */
type Item = Message | Tool;

interface ItemSum extends Sum {
  /** Of `tokens`, what the chat adds, which is certain only where it is documented. */
  readonly overhead: number;
}

/** What a template may put before a conversation: gpt-oss's own system message has some 70 tokens. */
const undocumentedChat = 80;

/** What a part that is no plain text may bring with it, and a tool. */
const perPart = 12;

/** The words beside a forced cut may fall otherwise than together. */
const perTear = 4;

/**
 * Between which counts the true one lies where `tokens` is an estimate: half and 1.8 times, which holds for every text
 * that was measured (see `estimateTokens`), if not for ones that are made to break it, such as a million points.
 */
export function estimateBounds(tokens: number): Pick<TokenCount, "low" | "high"> {
  return { low: Math.floor(tokens * 0.5), high: Math.ceil(tokens * 1.8) };
}

/**
 * Counts prompts for one model. Exact for plain conversations with OpenAI's models up to GPT-4o, for which OpenAI says
 * what a chat adds to its texts. Otherwise `exact` is false: tools, media, several parts and other models' templates
 * are estimated, and so is everything if the model has no tokenizer here.
 *
 * A message is counted once by each counter, so that what is left of a conversation can be counted again and again: make
 * one for each call. Counting and what it needs to load run in a thread of their own (`CountingThread`); a count that
 * takes it more than 2 s, or that it dies of, is an estimate, and so are all further ones of this counter. `signal` ends
 * a count.
 */
export function tokenCounter(model: Model, signal?: AbortSignal): TokenCounter {
  const vocabulary = vocabularyOf(model);
  const known = new WeakMap<Item, ItemSum>();
  let gaveUp = false;

  /** Undefined when they cannot be counted. What is not known yet is counted in one go. */
  async function sumsOf(items: readonly Item[]): Promise<readonly ItemSum[] | undefined> {
    if (vocabulary === undefined || gaveUp) return undefined;
    const unknown = items.filter((item) => !known.has(item));
    if (unknown.length > 0) {
      const counts = await countingThread.count(vocabulary, unknown.map(textsOf), signal);
      gaveUp ||= counts === undefined;
      if (counts === undefined) return undefined;
      unknown.forEach((item, index) => {
        known.set(item, sumOf(item, counts[index] ?? []));
      });
    }
    return items.flatMap((item) => known.get(item) ?? []);
  }

  const estimate = (chat: ChatRequest) => estimated(estimateChatTokens(chat, vocabularySizeOf(model)));
  return {
    estimate,
    async count(chat) {
      const sums = await sumsOf([...chat.messages, ...chat.tools]);
      if (sums === undefined) return estimate(chat);
      const documented = isDocumented(chat, model);
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
 * Counts the tokens of a text that goes to a model as it is, such as a prompt from a chat template, with the one that
 * servers put before it (vLLM does, to Llama and Mistral) unless it begins with that. Control tokens in it count as
 * one where the model's server takes them for such. With OpenAI's vocabularies it takes 60 microseconds per KB of
 * English, 300 of base64, 600 of Russian and 1,900 of Chinese, with Llama 2's and Mistral's at most 1,700
 * (`node scripts/measure-token-estimate.ts --cost`), and 2 s at most: an estimate then. `signal` ends it.
 */
export async function countTextTokens(text: string, model: Model, signal?: AbortSignal): Promise<TokenCount> {
  const vocabulary = vocabularyOf(model);
  const counts = vocabulary && (await countingThread.count(vocabulary, [[text]], signal));
  if (vocabulary === undefined || counts === undefined) return estimated(estimateTokens(text, vocabularySizeOf(model)));
  const { tokens, doubtful } = total(counts.flat());
  const begin = beginOf(vocabulary);
  return counted(begin === undefined || text.startsWith(begin) ? tokens : tokens + 1, doubtful);
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

/** What an item comes to, by the counts of its texts. */
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

/** Whether a message is of the kind that OpenAI's document speaks of. */
function isPlain({ role, parts }: Message): boolean {
  const takes = role === Role.SYSTEM || role === Role.USER || role === Role.ASSISTANT;
  return takes && parts.length === 1 && parts[0]?.kind.case === "text";
}

function isDocumented(chat: ChatRequest, { provider, providerModel }: Model): boolean {
  const addsText = chat.outputFormat?.format.case === "jsonSchema" || chat.tools.length > 0;
  return provider === "openai" && documentedChat.test(providerModel) && !addsText;
}

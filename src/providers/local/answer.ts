import { create } from "@bufbuild/protobuf";
import { StopMatcher } from "../../chat/stream/stop-matcher.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import {
  type LogProbs,
  LogProbsSchema,
  type TokenLogProb,
  TokenLogProbSchema,
} from "../../gen/dragoman/v1/logprobs_pb.js";
import type { GeneratedToken, LlamaModel, Token } from "./engine.ts";
import { Utf8Joiner } from "./utf8-joiner.ts";

/** Text to send to the caller, and the log probabilities of the tokens that begin in it. */
export interface Piece {
  readonly text: string;
  readonly logprobs: LogProbs | undefined;
}

/** llama.cpp's finish reasons. */
export type StopWord = "eos" | "word" | "limit";

export const finishReasons = {
  eos: FinishReason.STOP,
  word: FinishReason.STOP,
  limit: FinishReason.LENGTH,
} as const satisfies Record<StopWord, FinishReason>;

/** Replaces minus infinity, which JSON does not have. OpenAI uses the same value. */
const lowestLogprob = -9999;

/** Converts the tokens of one choice to text. */
export class Answer {
  /** All tokens so far. */
  readonly tokens: Token[] = [];
  /** Stop sequence that ended the response. */
  stop: string | undefined;
  readonly #model: LlamaModel;
  readonly #joiner: Utf8Joiner;
  readonly #matcher: StopMatcher;
  readonly #topLogprobs: number;
  /** Length of the text that was decoded so far. */
  #joined = 0;
  /** Length of the text that was returned so far, which excludes text held back. */
  #shown = 0;
  /** Log probabilities that were not returned yet, with the position of their token in the text. */
  #logprobs: { readonly start: number; readonly entry: TokenLogProb }[] = [];

  constructor(model: LlamaModel, prompt: readonly Token[], stops: readonly string[], topLogprobs: number) {
    this.#model = model;
    this.#joiner = new Utf8Joiner((tokens, before) => model.detokenize(tokens, false, before), prompt);
    this.#matcher = new StopMatcher(stops);
    this.#topLogprobs = topLogprobs;
  }

  /** Adds the next token and returns the text to send. Sets `stop` if the token completed a stop sequence. */
  push({ token, probabilities }: GeneratedToken): Piece {
    this.tokens.push(token);
    if (probabilities !== undefined) {
      this.#logprobs.push({ start: this.#joined, entry: this.#logprobOf(token, probabilities) });
    }
    const joined = this.#joiner.push(token);
    this.#joined += joined.length;
    const { text, stop } = this.#matcher.push(joined);
    this.stop = stop;
    return this.#show(text);
  }

  /** Returns the text held back, at the end of a response. Sets `stop` if that text completes a stop sequence. */
  flush(): Piece {
    const { text, stop } = this.#matcher.push(this.#joiner.flush());
    this.stop = stop;
    return this.#show(stop === undefined ? text + this.#matcher.flush() : text);
  }

  #show(text: string): Piece {
    if (text === "") return { text, logprobs: undefined };
    this.#shown += text.length;
    const due = this.#logprobs.filter(({ start }) => start < this.#shown);
    this.#logprobs = this.#logprobs.slice(due.length);
    const tokens = due.map(({ entry }) => entry);
    return { text, logprobs: tokens.length > 0 ? create(LogProbsSchema, { tokens }) : undefined };
  }

  #logprobOf(token: Token, probabilities: ReadonlyMap<Token, number>): TokenLogProb {
    const describe = (candidate: Token, probability: number) => ({
      token: this.#model.detokenize([candidate], true, this.tokens.slice(0, -1).slice(-4)),
      logprob: Math.max(lowestLogprob, Math.log(probability)),
    });
    const top = probabilities.entries().take(this.#topLogprobs);
    return create(TokenLogProbSchema, {
      ...describe(token, probabilities.get(token) ?? 0),
      topLogprobs: [...top.map(([candidate, probability]) => describe(candidate, probability))],
    });
  }
}

import { pathToFileURL } from "node:url";

// The part of node-llama-cpp 3.22 that is used here. It is not among the dependencies of this package (see home.ts), so
// its types are stated instead of imported.

/** The number of a token in the model's vocabulary. */
export type Token = number;

/** One token that was generated, and what the choice was made from. */
export interface GeneratedToken {
  readonly token: Token;
  /** Every token that could be drawn and its probability, likeliest first. Only when asked for. */
  readonly probabilities?: ReadonlyMap<Token, number>;
}

/** How the next token is chosen. What is left out is the engine's: temperature 0 (greedy), top_k 40, top_p 0.95. */
export interface SamplingOptions {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly minP?: number;
  /** 32 bits. */
  readonly seed?: number;
  readonly repeatPenalty?: {
    readonly punishTokens: () => Token[];
    readonly maxPunishTokens: number;
    readonly penalty: number;
    readonly presencePenalty: number;
    readonly frequencyPenalty: number;
  };
  readonly tokenBias?: TokenBias;
  readonly grammarEvaluationState?: object;
}

/** One conversation in the model's memory. */
export interface Sequence {
  /** How many tokens fit. */
  readonly contextSize: number;
  readonly nextTokenIndex: number;
  eraseContextTokenRanges(ranges: { start: number; end: number }[]): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: Token[]): Promise<void>;
  /** Ends when the model ends its turn. */
  evaluateWithMetadata(
    tokens: Token[],
    metadata: { readonly probabilities: boolean },
    options: SamplingOptions,
  ): AsyncGenerator<GeneratedToken, void>;
}

export interface TokenBias {
  /** Added to the token's score. Bias of a token that ends the turn is ignored. */
  set(token: Token, bias: { readonly logit: number }): this;
}

export interface LlamaModel {
  readonly trainContextSize: number;
  readonly tokens: {
    readonly bos: Token | null;
    readonly bosString: string | null;
    readonly eosString: string | null;
    readonly shouldPrependBosToken: boolean;
  };
  readonly fileInfo: {
    readonly metadata: {
      readonly tokenizer?: {
        readonly chat_template?: string;
        readonly ggml?: { readonly tokens?: { readonly length: number } };
      };
    };
  };
  /** With `special`, text such as `</s>` becomes the token of that name. */
  tokenize(text: string, special: boolean, options?: "trimLeadingSpace"): Token[];
  /** `before`: the tokens that precede, which decide about a leading blank. */
  detokenize(tokens: readonly Token[], special: boolean, before?: readonly Token[]): string;
  isEogToken(token: Token): boolean;
  createContext(options: { contextSize: number; sequences: number; threads: number }): Promise<{
    getSequence(): Sequence;
  }>;
}

interface LlamaGrammar {
  /** In llama.cpp's GBNF. */
  readonly grammar: string;
}

interface Llama {
  loadModel(options: { modelPath: string }): Promise<LlamaModel>;
  createGrammar(options: { grammar: string }): Promise<LlamaGrammar>;
  createGrammarForJsonSchema(schema: unknown): Promise<LlamaGrammar>;
  dispose(): Promise<void>;
}

interface LlamaModule {
  getLlama(options: {
    gpu: false;
    build: "never";
    skipDownload: true;
    maxThreads: number;
    logLevel: "error";
  }): Promise<Llama>;
  readonly TokenBias: { for(model: LlamaModel): TokenBias };
  readonly LlamaGrammarEvaluationState: new (options: { model: LlamaModel; grammar: LlamaGrammar }) => object;
}

export interface Engine {
  readonly llama: Llama;
  readonly module: LlamaModule;
}

/** Loads the engine from the folder that prepare:local made. Takes about a second. */
export async function loadEngine(folder: string, threads: number): Promise<Engine> {
  // By path, since a folder outside the package's own cannot be resolved.
  const module: LlamaModule = await import(pathToFileURL(`${folder}/node_modules/node-llama-cpp/dist/index.js`).href);
  const llama = await module.getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    maxThreads: threads,
    logLevel: "error",
  });
  return { llama, module };
}

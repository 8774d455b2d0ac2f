import { pathToFileURL } from "node:url";

// The part of node-llama-cpp 3.22 that Dragoman uses. The library is not a dependency of this package (see home.ts), so
// its types are declared here instead of imported.

/** Index of a token in the model's vocabulary. */
export type Token = number;

/** Generated token, with its alternatives. */
export interface GeneratedToken {
  readonly token: Token;
  /** Probabilities of all candidate tokens, most likely first. Only if requested. */
  readonly probabilities?: ReadonlyMap<Token, number>;
}

/** Sampling options of node-llama-cpp. Its defaults: temperature 0 (greedy), top_k 40, top_p 0.95. */
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

/** One token sequence in the model's memory (llama.cpp's context). */
export interface Sequence {
  /** Maximum number of tokens. */
  readonly contextSize: number;
  readonly nextTokenIndex: number;
  eraseContextTokenRanges(ranges: { start: number; end: number }[]): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: Token[]): Promise<void>;
  /** Generates tokens until the model ends its turn. */
  evaluateWithMetadata(
    tokens: Token[],
    metadata: { readonly probabilities: boolean },
    options: SamplingOptions,
  ): AsyncGenerator<GeneratedToken, void>;
}

export interface TokenBias {
  /** Adds `logit` to the token's score. Ignored for end-of-turn tokens. */
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
  /** With `special`, text such as `</s>` becomes the special token of that name. */
  tokenize(text: string, special: boolean, options?: "trimLeadingSpace"): Token[];
  /** `before`: the preceding tokens, which determine whether the text begins with a space. */
  detokenize(tokens: readonly Token[], special: boolean, before?: readonly Token[]): string;
  isEogToken(token: Token): boolean;
  createContext(options: { contextSize: number; sequences: number; threads: number }): Promise<{
    getSequence(): Sequence;
  }>;
  /** Many models must read an input in one batch: `batchSize` bounds the tokens of an input as `contextSize` does. */
  createEmbeddingContext(options: {
    contextSize: number;
    batchSize: number;
    threads: number;
  }): Promise<EmbeddingContext>;
}

/** Context that embeds one input after another. Adds the tokens that begin and end an input, if the model has any. */
export interface EmbeddingContext {
  /** Returns the number of tokens of an input, with those that the engine adds. */
  calculateInputLength(tokens: Token[]): number;
  /** Returns the vector that the model gives an input, which may have any length. */
  getEmbeddingFor(tokens: Token[]): Promise<{ readonly vector: readonly number[] }>;
}

/** Returns the number of tokens that a model knows. Their ids begin with 0. */
export function vocabularySize({ fileInfo }: Pick<LlamaModel, "fileInfo">): number {
  return fileInfo.metadata.tokenizer?.ggml?.tokens?.length ?? Number.MAX_SAFE_INTEGER;
}

interface LlamaGrammar {
  /** Source of the grammar, in llama.cpp's format GBNF. */
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

/** Loads the engine from the folder that `dragoman local prepare` created. Takes about one second. */
export async function loadEngine(folder: string, threads: number): Promise<Engine> {
  // Imported by path, because Node.js does not resolve packages in another folder.
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

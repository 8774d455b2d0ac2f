import type { RecordedRequest } from "../../support/replay-upstream.ts";

/** How a provider embeds on the wire. */
export interface EmbeddingCase {
  readonly provider: string;
  /** Name of the provider in the case, if it has several. */
  readonly name?: string;
  /** Environment of the service, with the base URL of the upstream server. */
  environment(baseUrl: string): Record<string, string>;
  /** Further configuration. */
  readonly yaml?: string;
  readonly model: string;
  readonly path: string;
  /** Maximum inputs of a request: the provider's bound, or Dragoman's for vectors of this length. */
  readonly maxInputs: number;
  /** Returns the body that the provider must get for texts, with the task QUERY. */
  body(texts: readonly string[]): object;
  /** Returns the texts of a body. */
  textsOf(body: never): readonly string[];
  /** Returns the response with these vectors. `tokens`: the input tokens. */
  answer(vectors: readonly (readonly number[])[], tokens: number): object;
  /** Headers of the response. */
  headers?(tokens: number): Record<string, string>;
  /** Whether the task is dropped, with a warning. */
  readonly dropsTask?: boolean;
  /** Whether the provider reports no usage, so that it is estimated. */
  readonly noUsage?: boolean;
  /** Fields of the body for `dimensions: 2`. Undefined: Dragoman rejects it. */
  readonly dimensions?: object;
}

export function base64(vector: readonly number[]): string {
  return Buffer.from(new Float32Array(vector).buffer).toString("base64");
}

type Encode = (vector: readonly number[]) => unknown;

const plain: Encode = (vector) => vector;

/** A server with OpenAI's API. */
function openAiCase(
  provider: string,
  more: Partial<EmbeddingCase> & { format?: string; key?: boolean; encode?: Encode; model: string },
): EmbeddingCase {
  const { format, key = true, encode = format === "base64" ? base64 : plain, ...rest } = more;
  const prefix = provider.toUpperCase().replaceAll("-", "_");
  const name = more.model.slice(more.model.indexOf("/") + 1);
  return {
    provider,
    environment: (baseUrl) => ({
      ...(key && { [`${prefix}_API_KEY`]: "key" }),
      [`${prefix}_BASE_URL`]: `${baseUrl}/v1`,
    }),
    path: "/v1/embeddings",
    // 500,000 values of vectors whose length is unknown.
    maxInputs: 162,
    body: (texts) => ({ model: name, input: texts, ...(format && { encoding_format: format }) }),
    textsOf: ({ input }: { input: string[] }) => input,
    answer: (vectors, tokens) => ({
      object: "list",
      // The order of the list is not that of the inputs.
      data: vectors.map((vector, index) => ({ object: "embedding", index, embedding: encode(vector) })).reverse(),
      model: name,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    }),
    dropsTask: true,
    dimensions: { dimensions: 2 },
    ...rest,
  };
}

function omit<Value extends object>(value: Value, name: keyof Value): EmbeddingCase {
  const { [name]: _, ...rest } = value;
  return rest as unknown as EmbeddingCase;
}

const texts = (body: { texts: string[] }) => body.texts;

function bedrock(
  model: string,
  rest: Omit<EmbeddingCase, "provider" | "environment" | "path" | "model">,
): EmbeddingCase {
  return {
    provider: "bedrock",
    environment: (baseUrl) => ({ AWS_BEARER_TOKEN_BEDROCK: "key", BEDROCK_BASE_URL: baseUrl, AWS_REGION: "us-east-1" }),
    model: `bedrock/${model}`,
    path: `/model/${encodeURIComponent(model)}/invoke`,
    ...rest,
  };
}

const vertexPath = (model: string, method: string) => `/v1/publishers/google/models/${model}:${method}`;
const vertexKey = (baseUrl: string) => ({ VERTEX_API_KEY: "key", VERTEX_BASE_URL: baseUrl });

/** Providers and models, with the wire format that their documents state. */
export const cases: readonly EmbeddingCase[] = [
  openAiCase("openai", { model: "openai/text-embedding-3-small", format: "base64", maxInputs: 1302 }),
  omit(
    {
      ...openAiCase("openai", { model: "openai/text-embedding-ada-002", format: "base64", maxInputs: 1302 }),
      name: "ada",
    },
    "dimensions",
  ),
  openAiCase("azure-openai", {
    model: "azure-openai/mine",
    maxInputs: 651,
    format: "base64",
    path: "/openai/v1/embeddings",
    environment: (baseUrl) => ({ AZURE_OPENAI_API_KEY: "key", AZURE_OPENAI_BASE_URL: baseUrl }),
  }),
  openAiCase("deepinfra", { model: "deepinfra/BAAI/bge-m3" }),
  omit(openAiCase("together", { model: "together/BAAI/bge-base-en-v1.5" }), "dimensions"),
  openAiCase("fireworks", { model: "fireworks/accounts/fireworks/models/qwen3-embedding-8b" }),
  openAiCase("openrouter", { model: "openrouter/openai/text-embedding-3-small", format: "base64" }),
  openAiCase("vllm", { model: "vllm/intfloat/e5", format: "base64", key: false }),
  openAiCase("sglang", { model: "sglang/Qwen3-Embedding", key: false }),
  openAiCase("ollama", { model: "ollama/nomic-embed-text", format: "base64", key: false }),
  omit(openAiCase("llamacpp", { model: "llamacpp/bge", format: "base64", key: false }), "dimensions"),
  omit(openAiCase("lmstudio", { model: "lmstudio/nomic", key: false }), "dimensions"),
  openAiCase("perplexity", {
    model: "perplexity/pplx-embed-v1-4b",
    format: "base64_int8",
    maxInputs: 512,
    environment: (baseUrl) => ({ PERPLEXITY_API_KEY: "key", PERPLEXITY_BASE_URL: baseUrl }),
    encode: (vector) => Buffer.from(Int8Array.from(vector)).toString("base64"),
  }),
  openAiCase("chat-completions", {
    model: "mine/any-model",
    environment: () => ({}),
    yaml: "providers: { mine: { dialect: chat-completions, base_url: BASE/v1 } }",
  }),
  omit(openAiCase("mistral", { model: "mistral/mistral-embed", format: "base64", maxInputs: 488 }), "dimensions"),
  {
    ...openAiCase("mistral", { model: "mistral/codestral-embed", format: "base64", maxInputs: 325 }),
    ...{ name: "codestral", dimensions: { output_dimension: 2 } },
  },
  {
    provider: "cohere",
    environment: (baseUrl) => ({ COHERE_API_KEY: "key", COHERE_BASE_URL: baseUrl }),
    model: "cohere/embed-v4.0",
    path: "/v2/embed",
    maxInputs: 96,
    body: (list) => ({
      ...{ model: "embed-v4.0", texts: list, input_type: "search_query" },
      ...{ embedding_types: ["base64"], truncate: "NONE" },
    }),
    textsOf: texts,
    answer: (vectors, tokens) => ({
      id: "1",
      embeddings: { base64: vectors.map(base64) },
      meta: { api_version: { version: "2" }, billed_units: { input_tokens: tokens } },
    }),
    dimensions: { output_dimension: 2 },
  },
  {
    provider: "gemini",
    environment: (baseUrl) => ({ GEMINI_API_KEY: "key", GEMINI_BASE_URL: baseUrl }),
    model: "gemini/gemini-embedding-001",
    path: "/models/gemini-embedding-001:batchEmbedContents",
    maxInputs: 100,
    body: (list) => ({
      requests: list.map((text) => ({
        model: "models/gemini-embedding-001",
        content: { parts: [{ text }] },
        taskType: "RETRIEVAL_QUERY",
      })),
    }),
    textsOf: ({ requests }: { requests: { content: { parts: { text: string }[] } }[] }) =>
      requests.map(({ content }) => content.parts[0]?.text ?? ""),
    answer: (vectors) => ({ embeddings: vectors.map((values) => ({ values })) }),
    noUsage: true,
  },
  {
    provider: "vertex",
    environment: vertexKey,
    model: "vertex/text-embedding-005",
    path: vertexPath("text-embedding-005", "predict"),
    maxInputs: 250,
    body: (list) => ({
      instances: list.map((content) => ({ content, task_type: "RETRIEVAL_QUERY" })),
      parameters: { autoTruncate: false },
    }),
    textsOf: ({ instances }: { instances: { content: string }[] }) => instances.map(({ content }) => content),
    answer: (vectors, tokens) => ({
      predictions: vectors.map((values, index) => ({
        embeddings: { values, statistics: { truncated: false, token_count: index === 0 ? tokens : 0 } },
      })),
    }),
  },
  {
    provider: "vertex",
    name: "embedContent",
    environment: vertexKey,
    model: "vertex/gemini-embedding-2",
    path: vertexPath("gemini-embedding-2", "embedContent"),
    maxInputs: 1,
    body: ([text]) => ({ content: { parts: [{ text }] }, embedContentConfig: { autoTruncate: false } }),
    textsOf: ({ content }: { content: { parts: { text: string }[] } }) => [content.parts[0]?.text ?? ""],
    answer: ([values], tokens) => ({ embedding: { values }, usageMetadata: { promptTokenCount: tokens } }),
    dropsTask: true,
  },
  bedrock("amazon.titan-embed-text-v2:0", {
    name: "titan",
    maxInputs: 1,
    body: ([inputText]) => ({ inputText }),
    textsOf: ({ inputText }: { inputText: string }) => [inputText],
    answer: ([embedding], inputTextTokenCount) => ({ embedding, inputTextTokenCount }),
    dropsTask: true,
    dimensions: { dimensions: 2 },
  }),
  bedrock("cohere.embed-english-v3", {
    name: "cohere",
    maxInputs: 96,
    body: (list) => ({ texts: list, input_type: "search_query", truncate: "NONE", embedding_types: ["float"] }),
    textsOf: texts,
    answer: (float) => ({ id: "1", response_type: "embeddings_by_type", embeddings: { float } }),
    headers: (tokens) => ({ "x-amzn-bedrock-input-token-count": String(tokens) }),
  }),
  bedrock("amazon.nova-2-multimodal-embeddings-v1:0", {
    name: "nova",
    maxInputs: 1,
    body: ([value]) => ({
      taskType: "SINGLE_EMBEDDING",
      singleEmbeddingParams: { embeddingPurpose: "TEXT_RETRIEVAL", text: { truncationMode: "NONE", value } },
    }),
    textsOf: ({ singleEmbeddingParams }: { singleEmbeddingParams: { text: { value: string } } }) => [
      singleEmbeddingParams.text.value,
    ],
    answer: ([embedding]) => ({ embeddings: [{ embeddingType: "TEXT", embedding }] }),
    noUsage: true,
  }),
];

/** Providers without embeddings, and those that run inside Dragoman. */
export const withoutWire = ["groq", "cerebras", "xai", "deepseek", "moonshot", "anthropic", "llm-engine"] as const;
export const inProcess = ["echo", "local"] as const;

export function bodyOf({ body }: RecordedRequest): never {
  return JSON.parse(body) as never;
}

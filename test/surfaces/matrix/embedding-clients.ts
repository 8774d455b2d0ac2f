import { createOpenAI } from "@ai-sdk/openai";
import { OpenAIEmbeddings } from "@langchain/openai";
import { APICallError, embedMany } from "ai";
import OpenAI from "openai";
import type { NotApplicable } from "../../contract/dialect.ts";
import type { Lab, Thrown } from "./client.ts";
import { openAiErrors, openAiThrown } from "./clients/openai-errors.ts";

export interface EmbeddingAsk {
  readonly model: string;
  readonly inputs: readonly string[];
  readonly dimensions?: number;
  readonly signal?: AbortSignal;
}

export interface Embedded {
  readonly vectors: readonly (readonly number[])[];
  /** Undefined: the client does not tell. */
  readonly inputTokens: number | undefined;
}

export type FailedEmbedding = "limited" | "unknown model" | "invalid dimensions";

/** A client of OpenAI's embeddings. */
export interface EmbeddingClient {
  readonly name: string;
  readonly package: string;
  embed(lab: Pick<Lab, "url" | "fetch">, ask: EmbeddingAsk): Promise<Embedded>;
  thrown(error: unknown): Thrown;
  readonly errors: Readonly<Record<FailedEmbedding, Thrown | NotApplicable>>;
  /** Name of the error class if its user aborts a call. */
  readonly aborted: string | NotApplicable;
}

const errors: Readonly<Record<FailedEmbedding, Thrown>> = {
  limited: openAiErrors.limited,
  "unknown model": openAiErrors["unknown model"],
  "invalid dimensions": { ...openAiErrors["wrong field"], field: "dimensions" },
};

/** The package openai, with vectors as base64, which is its default, or as numbers. */
function openAi(format: "base64" | "float"): EmbeddingClient {
  return {
    name: `\`openai\`, embeddings as ${format}`,
    package: "openai",
    async embed({ url, fetch }, { model, inputs, dimensions, signal }) {
      const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "caller-key", maxRetries: 0, fetch });
      const { data, usage } = await client.embeddings.create(
        {
          ...{ model, input: [...inputs] },
          ...(format === "float" && { encoding_format: format }),
          ...(dimensions !== undefined && { dimensions }),
        },
        { ...(signal && { signal }) },
      );
      return { vectors: data.map(({ embedding }) => embedding), inputTokens: usage.prompt_tokens };
    },
    thrown: openAiThrown,
    errors,
    aborted: "APIUserAbortError",
  };
}

const aiSdk: EmbeddingClient = {
  name: "`@ai-sdk/openai`, embeddings",
  package: "@ai-sdk/openai",
  async embed({ url, fetch }, { model, inputs, dimensions, signal }) {
    const provider = createOpenAI({ baseURL: `${url}/v1`, apiKey: "caller-key", fetch });
    const { embeddings, usage } = await embedMany({
      ...{ model: provider.embedding(model), values: [...inputs], maxRetries: 0 },
      ...(dimensions !== undefined && { providerOptions: { openai: { dimensions } } }),
      ...(signal && { abortSignal: signal }),
    });
    return { vectors: embeddings, inputTokens: usage.tokens };
  },
  thrown(error) {
    if (!APICallError.isInstance(error)) throw error;
    const { type, code, param } = JSON.parse(error.responseBody ?? "{}").error;
    return { class: error.name, status: error.statusCode, type, code, field: param };
  },
  errors: {
    limited: { ...errors.limited, class: "AI_APICallError" },
    "unknown model": { ...errors["unknown model"], class: "AI_APICallError" },
    "invalid dimensions": { ...errors["invalid dimensions"], class: "AI_APICallError" },
  },
  aborted: "DOMException",
};

const langChain: EmbeddingClient = {
  name: "`@langchain/openai`, embeddings",
  package: "@langchain/openai",
  async embed({ url, fetch }, { model, inputs, dimensions }) {
    const embeddings = new OpenAIEmbeddings({
      ...{ model, apiKey: "caller-key", maxRetries: 0, configuration: { baseURL: `${url}/v1`, fetch } },
      ...(dimensions !== undefined && { dimensions }),
    });
    return { vectors: await embeddings.embedDocuments([...inputs]), inputTokens: undefined };
  },
  thrown: openAiThrown,
  errors: { ...errors, limited: { why: "after a rate limit it waits as long as `retry-after` says, and tries again" } },
  aborted: { why: "`embedDocuments` takes no signal" },
};

export const embeddingClients: readonly EmbeddingClient[] = [openAi("base64"), openAi("float"), aiSdk, langChain];

import { z } from "zod";
import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { contractNames } from "../../chat/planning/provider-options.ts";
import { type EmbeddingInput, EmbeddingTask, type EmbedRequest } from "../../gen/dragoman/v1/embedding_service_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import type { Upstream } from "../../upstream/http.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import type { BatchBounds, EmbeddedBatch, EmbeddingApi } from "../embedding-api.ts";
import { rejected, unsupported } from "../kit/adaptations.ts";
import { embeddingRules } from "../kit/embedding-models.ts";
import { mergeOptions } from "../kit/merge-options.ts";
import { exactUsage, isCount } from "../kit/usage.ts";
import { exchangeVectors, mostValues, rawVector, toVector } from "../kit/vectors.ts";
import type { Endpoint } from "./endpoint.ts";
import { googleErrors } from "./errors.ts";

const values = z.object({ values: rawVector });
const usageMetadata = z.object({ promptTokenCount: z.number().optional() }).nullish();

/** One of Google's three methods for embeddings. */
interface Method<Answer> {
  readonly name: string;
  readonly bounds: Omit<BatchBounds, "maxValues">;
  readonly schema: z.ZodType<Answer>;
  toBody(request: EmbedRequest, model: Model): object;
  toBatch(answer: Answer, call: UpstreamCall): EmbeddedBatch;
}

const taskTypes = {
  [EmbeddingTask.UNSPECIFIED]: undefined,
  [EmbeddingTask.QUERY]: "RETRIEVAL_QUERY",
  [EmbeddingTask.DOCUMENT]: "RETRIEVAL_DOCUMENT",
  [EmbeddingTask.CLASSIFICATION]: "CLASSIFICATION",
  [EmbeddingTask.CLUSTERING]: "CLUSTERING",
  [EmbeddingTask.SIMILARITY]: "SEMANTIC_SIMILARITY",
} as const satisfies Record<EmbeddingTask, string | undefined>;

const isSet = <Value>(value: Value | undefined): value is Value => value !== undefined;

/** The Gemini API. https://ai.google.dev/api/embeddings: at most 100 requests in a batch. */
const batchEmbedContents: Method<unknown> = method({
  name: "batchEmbedContents",
  bounds: { maxInputs: 100 },
  schema: z.object({ embeddings: z.array(values), usageMetadata }),
  toBody: ({ inputs, ...rest }, { providerModel }) => ({
    requests: inputs.map((input) => ({
      model: `models/${providerModel}`,
      content: contentOf(input),
      ...configOf(rest),
    })),
  }),
  toBatch: ({ embeddings, usageMetadata: usage }, call) => ({
    vectors: embeddings.map((one) => toVector(one.values, call)),
    usage: usageOf(usage?.promptTokenCount),
  }),
});

/**
 * Vertex AI, for Gemini's newer models: one input for each request.
 */
const embedContent: Method<unknown> = method({
  name: "embedContent",
  bounds: { maxInputs: 1 },
  schema: z.object({ embedding: values, usageMetadata }),
  toBody: ({ inputs, ...rest }) => ({
    content: inputs[0] && contentOf(inputs[0]),
    embedContentConfig: { ...configOf(rest), autoTruncate: false },
  }),
  toBatch: ({ embedding, usageMetadata: usage }, call) => ({
    vectors: [toVector(embedding.values, call)],
    usage: usageOf(usage?.promptTokenCount),
  }),
});

/**
 * Vertex AI, for all other models. gemini-embedding-001 takes one input, the others 250 with 20,000 tokens.
 * https://cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-text-embeddings
 */
function predict(bounds: Method<unknown>["bounds"]): Method<unknown> {
  return method({
    name: "predict",
    bounds,
    schema: z.object({
      predictions: z.array(
        z.object({ embeddings: values.extend({ statistics: z.object({ token_count: z.number() }).optional() }) }),
      ),
    }),
    toBody: ({ inputs, dimensions, task }) => ({
      instances: inputs.map((input) => ({ content: textOf(input), task_type: taskTypes[task] })),
      // Otherwise, Vertex AI silently truncates texts that are too long.
      parameters: { autoTruncate: false, outputDimensionality: dimensions },
    }),
    toBatch({ predictions }, call) {
      const counts = predictions.map(({ embeddings }) => embeddings.statistics?.token_count).filter(isSet);
      return {
        vectors: predictions.map(({ embeddings }) => toVector(embeddings.values, call)),
        usage: counts.length < predictions.length ? undefined : usageOf(counts.reduce((sum, count) => sum + count, 0)),
      };
    },
  });
}

const predictOne = predict({ maxInputs: 1 });
const predictMany = predict({ maxInputs: 250, maxTokens: 20_000 });

/** Hides the type of an answer, which only the method's own functions know. */
function method<Answer>(one: Method<Answer>): Method<unknown> {
  return one as Method<unknown>;
}

function methodOf({ providerModel }: Model, endpoint: Pick<Endpoint, "predicts">): Method<unknown> {
  if (!endpoint.predicts) return batchEmbedContents;
  const { onVertex } = embeddingRules(providerModel);
  if (onVertex === "embedContent") return embedContent;
  return onVertex === "predict one" ? predictOne : predictMany;
}

/** Fields of the bodies that EmbedRequest has fields for. */
const names = contractNames({
  model: "model",
  requests: "inputs",
  content: "inputs",
  instances: "inputs",
  taskType: "task",
  outputDimensionality: "dimensions",
  embedContentConfig: { taskType: "task", outputDimensionality: "dimensions" },
  parameters: { outputDimensionality: "dimensions" },
});

/** Creates the embeddings of the Gemini API or Vertex AI. `provider`: name of the provider in the configuration. */
export function createGoogleEmbeddings(upstream: Upstream, provider: string, endpoint: Endpoint): EmbeddingApi {
  return {
    contractNames: names,
    bounds: (model) => ({ ...methodOf(model, endpoint).bounds, maxValues: mostValues.numbers }),
    checkSupport: (request, model) => [...limits(request, model, endpoint.title)],
    embed: (request, model, context) =>
      exchangeVectors(upstream, context, async (call) => {
        const { name, schema, toBody, toBatch } = methodOf(model, endpoint);
        const { pathPrefix, headers } = await endpoint.authorize(call);
        return {
          path: `${pathPrefix}/models/${encodeURIComponent(model.providerModel)}:${name}`,
          headers,
          body: JSON.stringify(mergeOptions(toBody(request, model), request.providerOptions[provider])),
          errors: googleErrors,
          schema,
          toOutput: toBatch,
          onStatus(status) {
            if (status === 401) endpoint.forget?.();
          },
        };
      }),
  };
}

function* limits({ inputs, task, user }: EmbedRequest, { providerModel }: Model, title: string): Generator<Adaptation> {
  if (inputs.some(({ kind }) => kind.case === "tokenIds")) {
    yield rejected(["inputs"], `${title} accepts only texts as inputs, and no tokens`);
  }
  if (task !== EmbeddingTask.UNSPECIFIED && embeddingRules(providerModel).ignoresTask) {
    yield unsupported(["task"], `${providerModel} has no task: write what the vectors are for into the texts`);
  }
  if (user !== "") yield unsupported(["user"], `${title} has no field for the user`);
}

function configOf({ task, dimensions }: Pick<EmbedRequest, "task" | "dimensions">): object {
  return { taskType: taskTypes[task], outputDimensionality: dimensions };
}

function contentOf(input: EmbeddingInput): object {
  return { parts: [{ text: textOf(input) }] };
}

function textOf({ kind }: EmbeddingInput): string {
  return kind.case === "text" ? kind.value : "";
}

function usageOf(tokens: number | undefined): Usage | undefined {
  return isCount(tokens) ? exactUsage(tokens, 0) : undefined;
}

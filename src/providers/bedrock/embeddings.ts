import { z } from "zod";
import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { contractNames } from "../../chat/planning/provider-options.ts";
import { EmbeddingTask, type EmbedRequest } from "../../gen/dragoman/v1/embedding_service_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import type { Upstream } from "../../upstream/http.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import type { EmbeddingApi } from "../embedding-api.ts";
import { rejected, unsupported } from "../kit/adaptations.ts";
import { cohereLimits, cohereMaxInputs, taskField, textOf, truncation } from "../kit/cohere-embeddings.ts";
import { embeddingRules } from "../kit/embedding-models.ts";
import { mergeOptions } from "../kit/merge-options.ts";
import { exactUsage } from "../kit/usage.ts";
import { exchangeVectors, mostValues, rawVector, toVector } from "../kit/vectors.ts";
import { bedrockErrors } from "./errors.ts";

/** Headers that authenticate a request. */
export type Authorize = (path: string, body: string, call: UpstreamCall) => Promise<Readonly<Record<string, string>>>;

/** Body and response of InvokeModel for one family of models. */
interface Family {
  readonly maxInputs: number;
  toBody(request: EmbedRequest, model: Model): object;
  checkSupport(request: EmbedRequest, model: Model): Iterable<Adaptation>;
}

const answer = z.object({
  // Titan.
  embedding: rawVector.optional(),
  inputTextTokenCount: z.number().optional(),
  // Cohere, with the forms that the request names or without; and Nova.
  embeddings: z
    .union([z.object({ float: z.array(rawVector) }), z.array(z.object({ embedding: rawVector })), z.array(rawVector)])
    .optional(),
});

type Answer = z.infer<typeof answer>;

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html */
const titan: Family = {
  maxInputs: 1,
  toBody: ({ inputs, dimensions }) => ({
    inputText: inputs[0] && textOf(inputs[0]),
    ...(dimensions !== undefined && { dimensions }),
  }),
  *checkSupport({ dimensions, task }, { id, providerModel }) {
    if (dimensions !== undefined && embeddingRules(providerModel).isFixed) {
      yield rejected(["dimensions"], `${id} has vectors of one length; omit dimensions`);
    }
    if (task !== EmbeddingTask.UNSPECIFIED) yield unsupported(["task"], `${id} has no task`);
  },
};

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html */
const cohere: Family = {
  maxInputs: cohereMaxInputs,
  toBody: ({ inputs, dimensions, task }) => ({
    texts: inputs.map(textOf),
    ...taskField(task),
    ...truncation,
    embedding_types: ["float"],
    ...(dimensions !== undefined && { output_dimension: dimensions }),
  }),
  checkSupport: (request, model) => cohereLimits({ ...request, user: "" }, model, "Bedrock"),
};

const purposes = {
  [EmbeddingTask.UNSPECIFIED]: "GENERIC_INDEX",
  [EmbeddingTask.QUERY]: "TEXT_RETRIEVAL",
  [EmbeddingTask.DOCUMENT]: "GENERIC_INDEX",
  [EmbeddingTask.CLASSIFICATION]: "CLASSIFICATION",
  [EmbeddingTask.CLUSTERING]: "CLUSTERING",
  [EmbeddingTask.SIMILARITY]: "GENERIC_RETRIEVAL",
} as const satisfies Record<EmbeddingTask, string>;

/** https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html */
const nova: Family = {
  maxInputs: 1,
  toBody: ({ inputs, dimensions, task }) => ({
    taskType: "SINGLE_EMBEDDING",
    singleEmbeddingParams: {
      embeddingPurpose: purposes[task],
      ...(dimensions !== undefined && { embeddingDimension: dimensions }),
      // Otherwise, Nova silently truncates a text that is too long.
      text: { truncationMode: "NONE", value: inputs[0] && textOf(inputs[0]) },
    },
  }),
  *checkSupport() {},
};

const families = { cohere, nova, titan } as const;

function familyOf({ providerModel }: Model): Family | undefined {
  const { onBedrock } = embeddingRules(providerModel);
  return onBedrock && families[onBedrock];
}

/** Fields of the bodies that EmbedRequest has fields for. */
const names = contractNames({
  inputText: "inputs",
  texts: "inputs",
  images: "inputs",
  inputs: "inputs",
  dimensions: "dimensions",
  output_dimension: "dimensions",
  input_type: "task",
  embedding_types: "Embedding.values",
  embeddingTypes: "Embedding.values",
  singleEmbeddingParams: { embeddingPurpose: "task", embeddingDimension: "dimensions", text: { value: "inputs" } },
});

/** Creates the embeddings of Bedrock's InvokeModel. */
export function createBedrockEmbeddings(upstream: Upstream, provider: string, authorize: Authorize): EmbeddingApi {
  return {
    contractNames: names,
    bounds: (model) => ({ maxInputs: familyOf(model)?.maxInputs ?? 1, maxValues: mostValues.numbers }),
    checkSupport: (request, model) => [...limits(request, model)],
    embed: (request, model, context) =>
      exchangeVectors<Answer>(upstream, context, async (call) => {
        const path = `/model/${encodeURIComponent(model.providerModel)}/invoke`;
        const body = JSON.stringify(
          mergeOptions(familyOf(model)?.toBody(request, model) ?? {}, request.providerOptions[provider]),
        );
        return {
          path,
          headers: await authorize(path, body, call),
          body,
          errors: bedrockErrors,
          schema: answer,
          toOutput: (found, _, header) => ({
            vectors: vectorsOf(found).map((vector) => toVector(vector, call)),
            usage: usageOf(found, header("x-amzn-bedrock-input-token-count")),
          }),
        };
      }),
  };
}

function* limits(request: EmbedRequest, model: Model): Generator<Adaptation> {
  const family = familyOf(model);
  if (family === undefined) {
    const known = "Amazon Titan, Amazon Nova and Cohere";
    yield rejected(["model"], `${model.id} is no embedding model that Dragoman knows on Bedrock: those of ${known}`);
    return;
  }
  if (request.inputs.some(({ kind }) => kind.case === "tokenIds")) {
    yield rejected(["inputs"], "Bedrock accepts only texts as inputs, and no tokens");
  }
  yield* family.checkSupport(request, model);
  if (request.user !== "") yield unsupported(["user"], "Bedrock has no field for the user");
}

function vectorsOf({ embedding, embeddings = [] }: Answer): readonly (string | readonly unknown[])[] {
  if (embedding !== undefined) return [embedding];
  if (!Array.isArray(embeddings)) return embeddings.float;
  return embeddings.map((one) => (typeof one === "object" && "embedding" in one ? one.embedding : one));
}

/** Of Cohere's models, only a header has the count. */
function usageOf({ inputTextTokenCount }: Answer, counted: string | undefined): Usage | undefined {
  const tokens = inputTextTokenCount ?? (counted === undefined ? undefined : Number(counted));
  return tokens !== undefined && Number.isSafeInteger(tokens) && tokens >= 0 ? exactUsage(tokens, 0) : undefined;
}

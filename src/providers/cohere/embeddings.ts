import { z } from "zod";
import { contractNames } from "../../chat/planning/provider-options.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import type { EmbedRequest } from "../../gen/dragoman/v1/embedding_service_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Upstream } from "../../upstream/http.ts";
import type { EmbeddingApi } from "../embedding-api.ts";
import { keyHeader } from "../kit/attempt-key.ts";
import { cohereLimits, cohereMaxInputs, taskField, textOf, truncation } from "../kit/cohere-embeddings.ts";
import { mergeOptions } from "../kit/merge-options.ts";
import { exchangeVectors, mostValues, rawVector, toVector } from "../kit/vectors.ts";
import { cohereErrors } from "./errors.ts";
import { cohereUsage } from "./usage.ts";

const answer = z.object({
  embeddings: z.object({ base64: z.array(rawVector).optional(), float: z.array(rawVector).optional() }),
  meta: z.record(z.string(), z.unknown()).nullish(),
});

/** Fields of the body that EmbedRequest has fields for. */
const names = contractNames({
  model: "model",
  texts: "inputs",
  inputs: "inputs",
  images: "inputs",
  input_type: "task",
  output_dimension: "dimensions",
  embedding_types: "Embedding.values",
});

/** Creates the embeddings of Cohere's API, version 2. */
export function createCohereEmbeddings(upstream: Upstream, settings: ProviderSettings): EmbeddingApi {
  return {
    contractNames: names,
    bounds: () => ({ maxInputs: cohereMaxInputs, maxValues: mostValues.base64 }),
    checkSupport: (request, model) => [...cohereLimits(request, model, "Cohere")],
    embed: (request, model, context) =>
      exchangeVectors<z.infer<typeof answer>>(upstream, context, async (call) => ({
        path: "/v2/embed",
        headers: keyHeader("authorization", call, settings),
        body: JSON.stringify(mergeOptions(toBody(request, model), request.providerOptions[settings.name])),
        errors: cohereErrors,
        schema: answer,
        toOutput({ embeddings: { base64, float }, meta }) {
          const vectors = base64 ?? float ?? [];
          return {
            vectors: vectors.map((vector) => toVector(vector, call)),
            usage: cohereUsage.toUsage(cohereUsage.add(undefined, withoutOutput(meta))),
          };
        },
      })),
  };
}

function withoutOutput(meta: Readonly<Record<string, unknown>> | null | undefined): unknown {
  return meta && { ...meta, tokens: { output_tokens: 0 } };
}

function toBody({ inputs, dimensions, task }: EmbedRequest, { providerModel }: Model): object {
  return {
    model: providerModel,
    texts: inputs.map(textOf),
    ...taskField(task),
    embedding_types: ["base64"],
    ...truncation,
    ...(dimensions !== undefined && { output_dimension: dimensions }),
  };
}

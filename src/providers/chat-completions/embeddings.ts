import { z } from "zod";
import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { contractNames } from "../../chat/planning/provider-options.ts";
import { type EmbeddingInput, EmbeddingTask, type EmbedRequest } from "../../gen/dragoman/v1/embedding_service_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { EmbeddingApi } from "../embedding-api.ts";
import { rejected, unsupported } from "../kit/adaptations.ts";
import { embeddingRules } from "../kit/embedding-models.ts";
import type { ErrorDialect } from "../kit/errors.ts";
import { mergeOptions } from "../kit/merge-options.ts";
import { exchangeVectors, inOrder, mostValues, rawVector } from "../kit/vectors.ts";
import { type EmbeddingQuirks, formatField } from "./embedding-quirks.ts";
import type { Shared } from "./endpoint.ts";
import type { Quirks } from "./quirks.ts";
import { chatUsage } from "./usage.ts";

const usualMaxInputs = 2048;

const answer = z.object({
  data: z.array(z.object({ index: z.int().optional(), embedding: rawVector })),
  usage: z.record(z.string(), z.unknown()).nullish(),
});

/** Fields of the body that EmbedRequest has fields for. The vectors are floats, whatever the server sends. */
export const embeddingNames = contractNames({
  model: "model",
  input: "inputs",
  dimensions: "dimensions",
  output_dimension: "dimensions",
  encoding_format: "Embedding.values",
  user: "user",
});

/** `encoding_format` of each form. */
const formats = { base64: "base64", maybe: "base64", int8: "base64_int8", numbers: undefined } as const;

/** Creates the embeddings of a server with OpenAI's API. */
export function createEmbeddings(
  { settings, endpoint, upstream }: Pick<Shared, "settings" | "endpoint" | "upstream">,
  names: Pick<Quirks, "title" | "openAiModel">,
  quirks: EmbeddingQuirks,
  errors: ErrorDialect,
): EmbeddingApi {
  const { form, maxInputs = usualMaxInputs, maxTokens } = quirks;
  return {
    contractNames: embeddingNames,
    ...(form === "base64" || form === "maybe" ? { ownFields: [formatField] } : {}),
    bounds: () => ({
      maxInputs,
      ...(maxTokens !== undefined && { maxTokens }),
      maxValues: form === "base64" || form === "int8" ? mostValues.base64 : mostValues.numbers,
    }),
    checkSupport: (request, model) => [...unsupportedFields(request, model, names, quirks)],
    embed: (request, model, context) =>
      exchangeVectors(upstream, context, async (call) => ({
        path: quirks.path ?? endpoint.path(model, "embeddings"),
        headers: await endpoint.authorize(call),
        body: JSON.stringify(mergeOptions(toBody(request, model, quirks), request.providerOptions[settings.name])),
        errors,
        schema: answer,
        toOutput({ data, usage }) {
          return {
            vectors: inOrder(data, call, form === "int8" ? "bytes" : "floats"),
            // No server counts output tokens.
            usage: chatUsage.toUsage(chatUsage.add(undefined, usage ? { ...usage, completion_tokens: 0 } : undefined)),
          };
        },
      })),
  };
}

function* unsupportedFields(
  { inputs, dimensions, task, user }: EmbedRequest,
  { id, providerModel }: Model,
  { title, openAiModel }: Pick<Quirks, "title" | "openAiModel">,
  quirks: EmbeddingQuirks,
): Generator<Adaptation> {
  if (!quirks.tokens && inputs.some(({ kind }) => kind.case === "tokenIds")) {
    yield rejected(["inputs"], `${title} accepts only texts as inputs, and no tokens`);
  }
  const hasOneLength =
    quirks.dimensions === undefined || embeddingRules(openAiModel?.(providerModel) ?? providerModel).isFixed;
  if (dimensions !== undefined && hasOneLength) {
    yield rejected(["dimensions"], `${title} does not support dimensions for ${id}; omit it`);
  }
  if (task !== EmbeddingTask.UNSPECIFIED) yield unsupported(["task"], `${title} has no field for the task`);
  if (user !== "" && !quirks.user) yield unsupported(["user"], `${title} has no field for the user`);
}

function toBody(
  { inputs, dimensions, user }: EmbedRequest,
  { providerModel }: Model,
  { form, dimensions: name }: EmbeddingQuirks,
): object {
  return {
    model: providerModel,
    input: inputs.map(toInput),
    ...(dimensions !== undefined && name !== undefined && { [name]: dimensions }),
    ...(formats[form] !== undefined && { [formatField]: formats[form] }),
    ...(user !== "" && { user }),
  };
}

function toInput({ kind }: EmbeddingInput): string | readonly number[] {
  return kind.case === "tokenIds" ? kind.value.ids : (kind.value ?? "");
}

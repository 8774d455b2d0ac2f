import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { type EmbeddingInput, EmbeddingTask, type EmbedRequest } from "../../gen/dragoman/v1/embedding_service_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { rejected, unsupported } from "./adaptations.ts";
import { embeddingRules } from "./embedding-models.ts";

// What Cohere's own API and Bedrock share of Cohere's embeddings.

/** Maximum inputs of a request. https://docs.cohere.com/reference/embed */
export const cohereMaxInputs = 96;

/** Otherwise, Cohere silently truncates texts that are too long. */
export const truncation = { truncate: "NONE" } as const;

/** Returns the text of an input. `cohereLimits` rejects other inputs. */
export function textOf({ kind }: EmbeddingInput): string {
  return kind.case === "text" ? kind.value : "";
}

const inputTypes = {
  [EmbeddingTask.UNSPECIFIED]: "search_document",
  [EmbeddingTask.QUERY]: "search_query",
  [EmbeddingTask.DOCUMENT]: "search_document",
  [EmbeddingTask.CLASSIFICATION]: "classification",
  [EmbeddingTask.CLUSTERING]: "clustering",
  [EmbeddingTask.SIMILARITY]: "search_document",
} as const satisfies Record<EmbeddingTask, string>;

export function taskField(task: EmbeddingTask): { readonly input_type: string } {
  return { input_type: inputTypes[task] };
}

/** Reports what a model of Cohere does not support. `title` names the provider that serves it. */
export function* cohereLimits(
  { inputs, dimensions, task, user }: EmbedRequest,
  { id, providerModel }: Model,
  title: string,
): Generator<Adaptation> {
  if (inputs.some(({ kind }) => kind.case === "tokenIds")) {
    yield rejected(["inputs"], `${title} accepts only texts as inputs, and no tokens`);
  }
  if (dimensions !== undefined && embeddingRules(providerModel).isFixed) {
    yield rejected(["dimensions"], `${id} has vectors of one length; omit dimensions`);
  }
  if (task === EmbeddingTask.UNSPECIFIED || task === EmbeddingTask.SIMILARITY) {
    const why = task === EmbeddingTask.UNSPECIFIED ? "requires a task" : "has no task for similarity";
    const message = `${id} ${why}: sent as EMBEDDING_TASK_DOCUMENT; set the task that the vectors are for`;
    yield { kind: "ADJUSTED", field: ["task"], message, set: EmbeddingTask.DOCUMENT };
  }
  if (user !== "") yield unsupported(["user"], `${title} has no field for the user`);
}

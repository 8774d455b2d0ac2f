import type { Environment } from "../../config/environment.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { modelOf } from "../../models/model-row.ts";
import { embeddingModels, type LocalModelFile, preparedModels } from "./home.ts";

/** Default context window in tokens. A model that was trained with a smaller window uses that. */
export const defaultContextSize = 2048;

/** Start of the names of embedding models. A file has both: `local/mine` for chat, `local/embed/mine` for embeddings. */
const embeddingPrefix = "embed/";

/**
 * Returns the catalog entries of the prepared models. The first has the alias `local/default`, and the first for
 * embeddings `local/embed`. Their context window is the default, even if the option `context_size` differs.
 */
export function localModels(environment: Environment): readonly Model[] {
  return [
    ...preparedModels(environment).map((file, index) => modelEntry(file, index === 0 ? ["local/default"] : [])),
    ...embeddingModels(environment).map((file, index) => embeddingEntry(file, index === 0 ? ["local/embed"] : [])),
  ];
}

/** Returns the name of the file of an embedding model. Undefined: it is no embedding model. */
export function embeddingFile({ providerModel }: Pick<Model, "providerModel">): string | undefined {
  return providerModel.startsWith(embeddingPrefix) ? providerModel.slice(embeddingPrefix.length) : undefined;
}

/** The context window and the dimensions of an operator's own file are unknown until it is loaded. */
export function embeddingEntry(
  { name, displayName, dimensions, window }: Omit<LocalModelFile, "path">,
  aliases: readonly string[],
): Model {
  const known = window ?? (dimensions === undefined ? 0 : defaultContextSize);
  const row = { model: embeddingPrefix + name, name: `${displayName}, embeddings`, window: known, aliases };
  return modelOf({ provider: "local", embeddings: true }, { ...row, ...(dimensions !== undefined && { dimensions }) });
}

export function modelEntry(
  { name, displayName }: Pick<LocalModelFile, "name" | "displayName">,
  aliases: readonly string[],
): Model {
  return modelOf(
    {
      provider: "local",
      maxTemperature: 2,
      systemMessages: true,
      jsonObject: true,
      jsonSchema: true,
      logprobs: true,
      multipleChoices: true,
      chatTemplate: true,
    },
    { model: name, name: displayName, window: defaultContextSize, aliases },
  );
}

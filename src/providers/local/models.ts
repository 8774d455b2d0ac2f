import type { Environment } from "../../config/environment.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { modelOf } from "../../models/model-row.ts";
import { type LocalModelFile, preparedModels } from "./home.ts";

/** The context window when the configuration sets none, in tokens; less for a model that was trained with less. */
export const defaultContextSize = 2048;

/**
 * The catalog's entries: the models that are prepared. The first one is also named `local/default`. Their window is
 * that of the provider's default options.
 */
export function localModels(environment: Environment): readonly Model[] {
  return preparedModels(environment).map((file, place) => modelEntry(file, place === 0 ? ["local/default"] : []));
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

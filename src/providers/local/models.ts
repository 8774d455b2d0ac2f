import type { Environment } from "../../config/environment.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { modelOf } from "../../models/model-row.ts";
import { type LocalModelFile, preparedModels } from "./home.ts";

/** Default context window in tokens. Smaller for models that were trained with a smaller one. */
export const defaultContextSize = 2048;

/**
 * Returns the catalog entries of the prepared models. The first has the alias `local/default`. Their context window is
 * that of the default options.
 */
export function localModels(environment: Environment): readonly Model[] {
  return preparedModels(environment).map((file, index) => modelEntry(file, index === 0 ? ["local/default"] : []));
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

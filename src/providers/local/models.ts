import type { Environment } from "../../config/environment.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { modelOf } from "../../models/model-row.ts";
import { type LocalModelFile, preparedModels } from "./home.ts";

/** Default context window in tokens. A model that was trained with a smaller window uses that. */
export const defaultContextSize = 2048;

/**
 * Returns the catalog entries of the prepared models. The first has the alias `local/default`. Their context window is
 * the default, even if the option `context_size` differs.
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

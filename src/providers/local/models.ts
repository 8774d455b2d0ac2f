import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../../gen/dragoman/v1/model_pb.js";
import { preparedModels } from "./home.ts";

/** The context window when the configuration sets none, in tokens; less for a model that was trained with less. */
export const defaultContextSize = 2048;

/**
 * The catalogue's entries: the models that are prepared. The first one is also named `local/default`. Their window is
 * that of the provider's default options.
 */
export function localModels(): readonly Model[] {
  return preparedModels().map(({ name, displayName }, place) =>
    create(ModelSchema, {
      id: `local/${name}`,
      provider: "local",
      displayName,
      aliases: place === 0 ? ["local/default"] : [],
      profile: "plain",
      providerModel: name,
      contextWindowTokens: defaultContextSize,
      maxTemperature: 2,
      capabilities: {
        systemMessages: true,
        jsonObject: true,
        jsonSchema: true,
        logprobs: true,
        multipleChoices: true,
        chatTemplate: true,
      },
    }),
  );
}

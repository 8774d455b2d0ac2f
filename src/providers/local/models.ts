import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../../gen/dragoman/v1/model_pb.js";
import { type LocalModelFile, preparedModels } from "./home.ts";

/** The context window when the configuration sets none, in tokens; less for a model that was trained with less. */
export const defaultContextSize = 2048;

/**
 * The catalog's entries: the models that are prepared. The first one is also named `local/default`. Their window is
 * that of the provider's default options.
 */
export function localModels(): readonly Model[] {
  return preparedModels().map((file, place) => modelEntry(file, place === 0 ? ["local/default"] : []));
}

export function modelEntry({ name, displayName }: Omit<LocalModelFile, "path">, aliases: string[]): Model {
  return create(ModelSchema, {
    id: `local/${name}`,
    provider: "local",
    displayName,
    aliases,
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
  });
}

import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";

/** Creates a model that has only names. */
export function named(providerModel: string, provider = "openai", templateFamily = ""): Model {
  return create(ModelSchema, { id: providerModel, providerModel, provider, templateFamily });
}

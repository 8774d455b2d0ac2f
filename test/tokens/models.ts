import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";

/** A model of which only the names matter. */
export function named(providerModel: string, provider = "openai", templateFamily = ""): Model {
  return create(ModelSchema, { id: providerModel, providerModel, provider, templateFamily });
}

import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../gen/dragoman/v1/model_pb.js";

/** What sets Mistral's chat models apart. Their windows are not in the sources below: 0 stands for unknown. */
interface Row {
  readonly name: string;
  readonly displayName: string;
  readonly reasoning?: boolean;
  readonly images?: boolean;
  readonly audio?: boolean;
}

// Sources: the model catalogue of @ai-sdk/mistral 4.0.87, which follows https://docs.mistral.ai/models, and the list of
// https://api.mistral.ai/v1/models in it (2026-10-06). Only models whose capabilities it declares are here; others are
// reached as mistral/<name>.
const rows: readonly Row[] = [
  { name: "mistral-large-latest", displayName: "Mistral Large", images: true },
  { name: "mistral-medium-latest", displayName: "Mistral Medium", images: true, reasoning: true },
  { name: "mistral-small-latest", displayName: "Mistral Small", images: true, reasoning: true },
  { name: "magistral-medium-latest", displayName: "Magistral Medium", images: true, reasoning: true },
  { name: "magistral-small-latest", displayName: "Magistral Small", images: true, reasoning: true },
  { name: "ministral-14b-latest", displayName: "Ministral 14B", images: true },
  { name: "ministral-8b-latest", displayName: "Ministral 8B", images: true },
  { name: "voxtral-small-latest", displayName: "Voxtral Small", audio: true },
  { name: "zai-glm-5-2", displayName: "GLM-5.2", reasoning: true },
];

/** Mistral's chat models, as `mistral/<name>`. */
export const mistralModels: readonly Model[] = rows.map(
  ({ name, displayName, reasoning = false, images = false, audio = false }) =>
    create(ModelSchema, {
      id: `mistral/${name}`,
      provider: "mistral",
      displayName,
      profile: "plain",
      providerModel: name,
      maxTemperature: 1,
      capabilities: {
        systemMessages: true,
        tools: true,
        parallelToolCalls: true,
        jsonObject: true,
        jsonSchema: true,
        imageInput: images,
        audioInput: audio,
        documentInput: images,
        reasoning,
        multipleChoices: true,
      },
    }),
);

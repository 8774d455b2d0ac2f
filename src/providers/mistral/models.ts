import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../../gen/dragoman/v1/model_pb.js";

/** What sets Mistral's chat models apart. Windows and limits are in tokens. */
interface Row {
  readonly name: string;
  readonly displayName: string;
  readonly window: number;
  readonly output: number;
  readonly reasoning?: boolean;
  readonly images?: boolean;
  readonly audio?: boolean;
}

const million = { window: 1_048_576, output: 131_072 };
const quarter = { window: 262_144, output: 262_144 };
const sight = { images: true };

// Sources: the model catalog of @ai-sdk/mistral 4.0.87, which follows https://docs.mistral.ai/models, and the list of
// https://api.mistral.ai/v1/models in it (2026-10-06); windows, limits and the models since then, models.dev of November
// 2026. Others are reached as mistral/<name>.
const rows: readonly Row[] = [
  { name: "mistral-large-4", displayName: "Mistral Large 4", ...million, output: 262_144, ...sight, reasoning: true },
  { name: "mistral-large-latest", displayName: "Mistral Large", ...quarter, ...sight },
  { name: "mistral-medium-latest", displayName: "Mistral Medium", ...quarter, ...sight, reasoning: true },
  {
    name: "mistral-small-latest",
    displayName: "Mistral Small",
    ...quarter,
    output: 256_000,
    ...sight,
    reasoning: true,
  },
  {
    name: "magistral-medium-latest",
    displayName: "Magistral Medium",
    ...quarter,
    output: 16_384,
    ...sight,
    reasoning: true,
  },
  {
    name: "magistral-small-latest",
    displayName: "Magistral Small",
    window: 256_000,
    output: 256_000,
    ...sight,
    reasoning: true,
  },
  { name: "ministral-14b-latest", displayName: "Ministral 14B", ...quarter, ...sight },
  { name: "ministral-8b-latest", displayName: "Ministral 8B", ...quarter, output: 128_000, ...sight },
  { name: "voxtral-small-latest", displayName: "Voxtral Small", window: 32_768, output: 32_000, audio: true },
  { name: "zai-glm-5-3", displayName: "GLM-5.3", ...million, reasoning: true },
  { name: "zai-glm-5-3-flash", displayName: "GLM-5.3 Flash", ...million, ...sight, reasoning: true },
  { name: "zai-glm-5-2", displayName: "GLM-5.2", ...million, reasoning: true },
];

/** Mistral's chat models, as `mistral/<name>`. */
export const mistralModels: readonly Model[] = rows.map(
  ({ name, displayName, window, output, reasoning = false, images = false, audio = false }) =>
    create(ModelSchema, {
      id: `mistral/${name}`,
      provider: "mistral",
      displayName,
      profile: "plain",
      contextWindowTokens: window,
      maxOutputTokens: output,
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

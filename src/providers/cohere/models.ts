import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../../gen/dragoman/v1/model_pb.js";

/** What sets Cohere's chat models apart. Windows and limits are in tokens. */
interface Row {
  readonly name: string;
  readonly displayName: string;
  readonly window: number;
  readonly output: number;
  readonly reasoning?: boolean;
  readonly images?: boolean;
  /** Calls tools; true unless it is said. */
  readonly tools?: boolean;
}

const commandA = { window: 256_000, output: 8_000 };

// Sources: the ids of @ai-sdk/cohere 4.0.52; windows and limits of the models' pages at https://docs.cohere.com/docs, and
// Command A+ by models.dev of November 2026. Others are reached as cohere/<name>.
const rows: readonly Row[] = [
  {
    name: "command-a-plus-05-2026",
    displayName: "Command A+",
    window: 128_000,
    output: 64_000,
    reasoning: true,
    images: true,
  },
  { name: "command-a-03-2025", displayName: "Command A", ...commandA },
  {
    name: "command-a-reasoning-08-2025",
    displayName: "Command A Reasoning",
    ...commandA,
    output: 32_000,
    reasoning: true,
  },
  {
    name: "command-a-vision-07-2025",
    displayName: "Command A Vision",
    ...commandA,
    window: 128_000,
    images: true,
    tools: false,
  },
  { name: "command-r7b-12-2024", displayName: "Command R7B", window: 128_000, output: 4_000 },
];

/** Cohere's chat models, as `cohere/<name>`. */
export const cohereModels: readonly Model[] = rows.map(
  ({ name, displayName, window, output, reasoning = false, images = false, tools = true }) =>
    create(ModelSchema, {
      id: `cohere/${name}`,
      provider: "cohere",
      displayName,
      profile: "plain",
      contextWindowTokens: window,
      maxOutputTokens: output,
      providerModel: name,
      maxTemperature: 1,
      capabilities: {
        systemMessages: true,
        tools,
        parallelToolCalls: tools,
        jsonObject: true,
        jsonSchema: true,
        imageInput: images,
        reasoning,
        logprobs: true,
        // By a call for each.
        multipleChoices: true,
      },
    }),
);

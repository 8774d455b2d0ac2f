import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../gen/dragoman/v1/model_pb.js";

/** What sets Cerebras' models apart. */
interface Row {
  readonly model: string;
  readonly name: string;
  /** Whether it thinks. */
  readonly reasoning: boolean;
  readonly images: boolean;
}

// Source: inference-docs.cerebras.ai as of August 2026, which also retires models without much notice. The window is
// that of paid accounts; others have 65,536 tokens.
const rows: readonly Row[] = [
  { model: "gpt-oss-120b", name: "GPT-OSS 120B", reasoning: true, images: false },
  { model: "gemma-4-31b", name: "Gemma 4 31B", reasoning: true, images: true },
];

/** Cerebras' models. */
export const cerebrasModels: readonly Model[] = rows.map(({ model, name, reasoning, images }) =>
  create(ModelSchema, {
    id: `cerebras/${model}`,
    provider: "cerebras",
    displayName: `${name} (Cerebras)`,
    profile: "plain",
    contextWindowTokens: 131_072,
    providerModel: model,
    // The types of the official client (1.91.0) say 2, the API's document 1.5.
    maxTemperature: 1.5,
    capabilities: {
      systemMessages: true,
      tools: true,
      parallelToolCalls: true,
      jsonObject: true,
      jsonSchema: true,
      imageInput: images,
      reasoning,
      logprobs: true,
      multipleChoices: true,
    },
  }),
);

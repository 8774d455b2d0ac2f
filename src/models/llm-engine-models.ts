import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../gen/dragoman/v1/model_pb.js";

/** An endpoint of LLM Engine's model zoo. The window is in tokens, and prompt and answer share it. */
interface Row {
  readonly id: string;
  readonly name: string;
  readonly window: number;
}

// Names and windows: docs/model_zoo.md of scaleapi/llm-engine. An endpoint has whatever name its owner gave it; any other
// is asked as `llm-engine/<endpoint>`.
const rows: readonly Row[] = [
  { id: "llama-2-7b-chat", name: "Llama 2 7B Chat", window: 4096 },
  { id: "llama-2-13b-chat", name: "Llama 2 13B Chat", window: 4096 },
  { id: "llama-2-70b-chat", name: "Llama 2 70B Chat", window: 4096 },
  { id: "llama-3-8b-instruct", name: "Llama 3 8B Instruct", window: 8192 },
  { id: "llama-3-70b-instruct", name: "Llama 3 70B Instruct", window: 8192 },
  { id: "llama-3-1-8b-instruct", name: "Llama 3.1 8B Instruct", window: 131_072 },
  { id: "llama-3-1-70b-instruct", name: "Llama 3.1 70B Instruct", window: 131_072 },
  { id: "mixtral-8x7b-instruct", name: "Mixtral 8x7B Instruct", window: 32_768 },
  { id: "mixtral-8x22b-instruct", name: "Mixtral 8x22B Instruct", window: 65_536 },
];

/** The models of LLM Engine's zoo that talk, as `llm-engine/<endpoint>`. */
export const llmEngineModels: readonly Model[] = rows.map(({ id, name, window }) =>
  create(ModelSchema, {
    id: `llm-engine/${id}`,
    provider: "llm-engine",
    displayName: name,
    profile: "plain",
    contextWindowTokens: window,
    providerModel: id,
    // What v1 cannot do of it, the adapter says.
    maxTemperature: 2,
    capabilities: {
      systemMessages: true,
      // With an endpoint that has a parser for them.
      tools: true,
      parallelToolCalls: true,
      jsonObject: true,
      jsonSchema: true,
      regex: true,
      logprobs: true,
      multipleChoices: true,
      chatTemplate: true,
    },
  }),
);

import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../gen/dragoman/v1/model_pb.js";

/** An endpoint of LLM Engine. The window is in tokens, and prompt and answer share it. */
export interface Endpoint {
  readonly id: string;
  readonly name: string;
  readonly window: number;
  /**
   * The stock template that its weights were trained on. Undefined: none is kept here (gpt-oss' harmony), so that only v2
   * of the engine serves it.
   */
  readonly template?: "llama-2" | "llama-3" | "mixtral" | "chatml" | "zephyr" | "phi-3";
  readonly reasoning?: boolean;
  /** Other spellings of the bare id. */
  readonly aliases?: readonly string[];
}

const llama2 = { window: 4096, template: "llama-2" } as const;
const llama3 = { window: 8192, template: "llama-3" } as const;
const llama31 = { window: 131_072, template: "llama-3" } as const;

// Ids: seed 000. Windows: docs/model_zoo.md of scaleapi/llm-engine for Llama 2, 3 and 3.1 and for Mixtral, the weights'
// model cards for the others; what was tuned has the window and the template of its base. An endpoint has whatever name
// its owner gave it; any other is asked as `llm-engine/<endpoint>`.
export const endpoints: readonly Endpoint[] = [
  // Open weights, so served here unless the configuration says otherwise; the seed names no family for them.
  { id: "gpt-oss-120b", name: "gpt-oss-120b", window: 131_072, reasoning: true },
  { id: "gpt-oss-20b", name: "gpt-oss-20b", window: 131_072, reasoning: true },
  { id: "llama-2-7b-chat", name: "Llama 2 7B Chat", ...llama2 },
  { id: "llama-2-13b-chat", name: "Llama 2 13B Chat", ...llama2 },
  { id: "llama-2-70b-chat", name: "Llama 2 70B Chat", ...llama2 },
  { id: "llama-3-8b-instruct", name: "Llama 3 8B Instruct", ...llama3 },
  { id: "llama-3-70b-instruct", name: "Llama 3 70B Instruct", ...llama3 },
  {
    id: "llama-3-1-8b-instruct",
    name: "Llama 3.1 8B Instruct",
    ...llama31,
    aliases: ["llama-3.1-8b-instruct"],
  },
  {
    id: "llama-3-1-70b-instruct",
    name: "Llama 3.1 70B Instruct",
    ...llama31,
    aliases: ["llama-3.1-70b-instruct"],
  },
  {
    id: "llama-3-2-1b-instruct",
    name: "Llama 3.2 1B Instruct",
    ...llama31,
    aliases: ["llama-3.2-1b-instruct"],
  },
  {
    id: "llama-3-2-3b-instruct",
    name: "Llama 3.2 3B Instruct",
    ...llama31,
    aliases: ["llama-3.2-3b-instruct"],
  },
  {
    id: "llama-3-3-70b-instruct",
    name: "Llama 3.3 70B Instruct",
    ...llama31,
    aliases: ["llama-3.3-70b-instruct"],
  },
  { id: "Meta-Llama-3-8B-Instruct-RMU", name: "Llama 3 8B Instruct RMU", ...llama3 },
  { id: "Meta-Llama-3-8B-Instruct-RR", name: "Llama 3 8B Instruct RR", ...llama3 },
  { id: "Meta-Llama-3-8B-Instruct-DERTA", name: "Llama 3 8B Instruct DERTA", ...llama3 },
  { id: "Meta-Llama-3-8B-Instruct-LAT", name: "Llama 3 8B Instruct LAT", ...llama3 },
  { id: "mixtral-8x7b-instruct", name: "Mixtral 8x7B Instruct", window: 32_768, template: "mixtral" },
  { id: "mixtral-8x22b-instruct", name: "Mixtral 8x22B Instruct", window: 65_536, template: "mixtral" },
  { id: "phi-3-mini-4k-instruct", name: "Phi-3 Mini 4K Instruct", window: 4096, template: "phi-3" },
  { id: "phi-3-cat-merged", name: "Phi-3 CAT", window: 4096, template: "phi-3" },
  { id: "zephyr-cat-merged", name: "Zephyr CAT", window: 32_768, template: "zephyr" },
  { id: "dolphin-2.9-llama3-8b", name: "Dolphin 2.9 Llama 3 8B", window: 8192, template: "chatml" },
  { id: "dolphin-2.9-llama3-70b", name: "Dolphin 2.9 Llama 3 70B", window: 8192, template: "chatml" },
  { id: "defense-llama-3-8b-instruct", name: "Defense Llama 3 8B Instruct", ...llama3 },
  { id: "donovan-combat-llama", name: "Donovan Combat Llama", ...llama3 },
];

/** LLM Engine's endpoints by their bare names, as EGP serves them (seed 000). */
export const egpEndpoints: readonly Model[] = endpoints.map((row) =>
  endpointModel(row, {
    id: row.id,
    aliases: [...(row.aliases ?? [])],
    profile: "egp-chat",
    // The bound of the engine's v1.
    maxTemperature: 1,
  }),
);

/** The model of an endpoint under a name. */
export function endpointModel(
  { id, name, window, template, reasoning = false }: Endpoint,
  surface: { id: string; aliases?: string[]; profile: string; maxTemperature: number },
): Model {
  return create(ModelSchema, {
    provider: "llm-engine",
    displayName: name,
    contextWindowTokens: window,
    maxOutputTokens: window,
    providerModel: id,
    templateFamily: template ?? "",
    capabilities: {
      systemMessages: true,
      // With an endpoint that has a parser for them.
      tools: true,
      parallelToolCalls: true,
      jsonObject: true,
      jsonSchema: true,
      regex: true,
      reasoning,
      logprobs: true,
      multipleChoices: true,
      chatTemplate: true,
    },
    ...surface,
  });
}

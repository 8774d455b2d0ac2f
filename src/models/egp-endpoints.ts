import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { chatCapabilities, type ModelRow, modelsOf } from "./model-row.ts";

const llama2 = { window: 4096, templateFamily: "llama-2" } as const;
const llama3 = { window: 8192, templateFamily: "llama-3" } as const;
const llama31 = { window: 131_072, templateFamily: "llama-3" } as const;

// A fine-tuned model has the context window and template of its base.
// Owners choose the names of their endpoints; callers write any other endpoint as `llm-engine/<endpoint>`.
// For LLM Engine v1, Dragoman renders the prompt with a built-in chat template. There is none for rows without
// `templateFamily`, such as gpt-oss (harmony format), so only v2 can serve them.
const rows: readonly ModelRow[] = [
  // The EGP chat completions API names no family for gpt-oss. Dragoman assumes LLM Engine, since the weights are open.
  { model: "gpt-oss-120b", name: "gpt-oss-120b", window: 131_072, reasoning: true },
  { model: "gpt-oss-20b", name: "gpt-oss-20b", window: 131_072, reasoning: true },
  { model: "llama-2-7b-chat", name: "Llama 2 7B Chat", ...llama2 },
  { model: "llama-2-13b-chat", name: "Llama 2 13B Chat", ...llama2 },
  { model: "llama-2-70b-chat", name: "Llama 2 70B Chat", ...llama2 },
  { model: "llama-3-8b-instruct", name: "Llama 3 8B Instruct", ...llama3 },
  { model: "llama-3-70b-instruct", name: "Llama 3 70B Instruct", ...llama3 },
  {
    model: "llama-3-1-8b-instruct",
    name: "Llama 3.1 8B Instruct",
    ...llama31,
    aliases: ["llama-3.1-8b-instruct"],
  },
  {
    model: "llama-3-1-70b-instruct",
    name: "Llama 3.1 70B Instruct",
    ...llama31,
    aliases: ["llama-3.1-70b-instruct"],
  },
  {
    model: "llama-3-2-1b-instruct",
    name: "Llama 3.2 1B Instruct",
    ...llama31,
    aliases: ["llama-3.2-1b-instruct"],
  },
  {
    model: "llama-3-2-3b-instruct",
    name: "Llama 3.2 3B Instruct",
    ...llama31,
    aliases: ["llama-3.2-3b-instruct"],
  },
  {
    model: "llama-3-3-70b-instruct",
    name: "Llama 3.3 70B Instruct",
    ...llama31,
    aliases: ["llama-3.3-70b-instruct"],
  },
  { model: "Meta-Llama-3-8B-Instruct-RMU", name: "Llama 3 8B Instruct RMU", ...llama3 },
  { model: "Meta-Llama-3-8B-Instruct-RR", name: "Llama 3 8B Instruct RR", ...llama3 },
  { model: "Meta-Llama-3-8B-Instruct-DERTA", name: "Llama 3 8B Instruct DERTA", ...llama3 },
  { model: "Meta-Llama-3-8B-Instruct-LAT", name: "Llama 3 8B Instruct LAT", ...llama3 },
  { model: "mixtral-8x7b-instruct", name: "Mixtral 8x7B Instruct", window: 32_768, templateFamily: "mixtral" },
  { model: "mixtral-8x22b-instruct", name: "Mixtral 8x22B Instruct", window: 65_536, templateFamily: "mixtral" },
  { model: "phi-3-mini-4k-instruct", name: "Phi-3 Mini 4K Instruct", window: 4096, templateFamily: "phi-3" },
  { model: "phi-3-cat-merged", name: "Phi-3 CAT", window: 4096, templateFamily: "phi-3" },
  { model: "zephyr-cat-merged", name: "Zephyr CAT", window: 32_768, templateFamily: "zephyr" },
  { model: "dolphin-2.9-llama3-8b", name: "Dolphin 2.9 Llama 3 8B", window: 8192, templateFamily: "chatml" },
  { model: "dolphin-2.9-llama3-70b", name: "Dolphin 2.9 Llama 3 70B", window: 8192, templateFamily: "chatml" },
  { model: "defense-llama-3-8b-instruct", name: "Defense Llama 3 8B Instruct", ...llama3 },
  { model: "donovan-combat-llama", name: "Donovan Combat Llama", ...llama3 },
];

/** Rows with an output limit equal to the context window, which prompt and output share. */
export const endpointRows: readonly ModelRow[] = rows.map((row) => ({ ...row, output: row.window }));

/** Facts of all LLM Engine endpoints. Tool calls need an endpoint with a tool call parser. */
export const endpointTable = {
  sources: [
    { from: "Scale EGP chat completions API: ids", read: "2026-11-21" },
    {
      from: "docs/model_zoo.md of scaleapi/llm-engine: context windows of Llama 2 to 3.1, Mixtral",
      read: "2026-11-21",
    },
    { from: "model cards: other context windows", read: "2026-11-21" },
  ],
  provider: "llm-engine",
  ...chatCapabilities,
  regex: true,
  logprobs: true,
  chatTemplate: true,
} as const;

/** LLM Engine endpoints of the Scale EGP chat completions API, with bare ids. Temperature limit: LLM Engine v1. */
export const egpEndpoints: readonly Model[] = modelsOf(
  { ...endpointTable, idOf: (model) => model, maxTemperature: 1 },
  endpointRows,
);

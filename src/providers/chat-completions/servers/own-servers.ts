import { llamaCppReasons, readLlamaCppError } from "./llamacpp/errors.ts";
import { type CompatibleServer, commonFields, openModelFields, ownServer } from "./server.ts";

const samplingFields = {
  ...commonFields,
  ...openModelFields,
  "parameters.logit_bias": "logit_bias",
  chat_template_kwargs: "chat_template_kwargs",
  parallel_tool_calls: "parallel_tool_calls",
} as const;

/** Servers of one's own that speak OpenAI's dialect. */
export const ownServers: readonly CompatibleServer[] = [
  {
    ...ownServer,
    name: "vllm",
    title: "vLLM",
    baseUrl: "http://127.0.0.1:8000/v1",
    fields: {
      ...samplingFields,
      "parameters.max_output_tokens": "max_completion_tokens",
      "parameters.min_output_tokens": "min_tokens",
      "parameters.n": "n",
      "reasoning.budget_tokens": "thinking_token_budget",
    },
    // New versions say `reasoning`; they still take the older name, which old ones need.
    reasoningReplay: "reasoning_content",
    regex: (pattern) => ({ structured_outputs: { regex: pattern } }),
  },
  {
    ...ownServer,
    name: "sglang",
    title: "SGLang",
    baseUrl: "http://127.0.0.1:30000/v1",
    fields: {
      ...samplingFields,
      "parameters.max_output_tokens": "max_completion_tokens",
      "parameters.min_output_tokens": "min_tokens",
      "parameters.n": "n",
      // It has no effort of that name.
      "reasoning.effort": (effort) =>
        effort === "none" ? { reasoning: { enabled: false } } : { reasoning_effort: effort },
    },
    regex: (pattern) => ({ regex: pattern }),
  },
  {
    ...ownServer,
    name: "ollama",
    title: "Ollama",
    baseUrl: "http://127.0.0.1:11434/v1",
    // All else, max_completion_tokens included, is ignored without a word.
    fields: { ...commonFields, "parameters.max_output_tokens": "max_tokens" },
    reasoningReplay: "reasoning",
    toolChoice: "auto",
    media: ["image"],
  },
  {
    ...ownServer,
    name: "llamacpp",
    title: "llama.cpp",
    baseUrl: "http://127.0.0.1:8080/v1",
    fields: {
      ...samplingFields,
      "parameters.max_output_tokens": "max_tokens",
      "parameters.repetition_penalty": "repeat_penalty",
    },
    // A named tool is silently turned into auto.
    toolChoice: "modes",
    // The server fetches addresses itself, from inside the operator's network.
    media: ["image"],
    topKOff: 0,
    flatSchema: true,
    reasons: llamaCppReasons,
    readError: readLlamaCppError,
  },
  {
    ...ownServer,
    name: "lmstudio",
    title: "LM Studio",
    baseUrl: "http://127.0.0.1:1234/v1",
    fields: {
      ...commonFields,
      "parameters.max_output_tokens": "max_tokens",
      "parameters.top_k": "top_k",
      "parameters.logit_bias": "logit_bias",
      "parameters.repetition_penalty": "repeat_penalty",
    },
    toolChoice: "modes",
    media: ["image"],
    topKOff: 0,
  },
];

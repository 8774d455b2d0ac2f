import type { OptionalField } from "./openai/fields.ts";
import { createOpenAiAdapter } from "./openai/index.ts";
import type { Quirks } from "./openai/quirks.ts";
import type { ProviderDeclaration } from "./registry.ts";

/** One server that speaks OpenAI's dialect: where it is, and how it differs. */
interface CompatibleServer extends Quirks {
  readonly name: string;
  readonly baseUrl: string;
  readonly onBy: "key" | "url";
}

/** The fields that every server here takes by OpenAI's name. */
const commonFields = {
  "parameters.temperature": "temperature",
  "parameters.top_p": "top_p",
  "parameters.stop_sequences": "stop",
  "parameters.seed": "seed",
  "parameters.presence_penalty": "presence_penalty",
  "parameters.frequency_penalty": "frequency_penalty",
  "parameters.logprobs": "logprobs",
  "parameters.top_logprobs": "top_logprobs",
  "reasoning.effort": "reasoning_effort",
} as const satisfies Partial<Record<OptionalField, string>>;

/** The further sampling fields of servers that run open models. */
const samplingFields = {
  "parameters.top_k": "top_k",
  "parameters.min_p": "min_p",
  "parameters.logit_bias": "logit_bias",
  chat_template_kwargs: "chat_template_kwargs",
  parallel_tool_calls: "parallel_tool_calls",
} as const satisfies Partial<Record<OptionalField, string>>;

/** What most servers of one's own have in common. */
const ownServer = {
  onBy: "url",
  reasoningModelRules: false,
  developerRole: false,
  refusals: false,
  reasoningReplay: "reasoning_content",
  toolChoice: "named",
  imageUrls: true,
  audioAndFiles: false,
  maxStopSequences: undefined,
  topKOff: -1,
  regex: undefined,
  flatSchema: false,
  declineObfuscation: false,
} as const satisfies Partial<CompatibleServer>;

const servers: readonly CompatibleServer[] = [
  {
    name: "openai",
    title: "OpenAI",
    baseUrl: "https://api.openai.com/v1",
    onBy: "key",
    // Models since o1 refuse max_tokens, and no other OpenAI model needs it.
    fields: {
      ...commonFields,
      "parameters.max_output_tokens": "max_completion_tokens",
      "parameters.n": "n",
      "parameters.logit_bias": "logit_bias",
      parallel_tool_calls: "parallel_tool_calls",
      prediction: "prediction",
      service_tier: "service_tier",
      prompt_cache_key: "prompt_cache_key",
      user: "safety_identifier",
    },
    reasoningModelRules: true,
    developerRole: true,
    refusals: true,
    reasoningReplay: undefined,
    toolChoice: "named",
    imageUrls: true,
    audioAndFiles: true,
    maxStopSequences: 4,
    topKOff: 0,
    regex: undefined,
    flatSchema: false,
    declineObfuscation: true,
  },
  {
    ...ownServer,
    name: "vllm",
    title: "vLLM",
    baseUrl: "http://127.0.0.1:8000/v1",
    fields: {
      ...commonFields,
      ...samplingFields,
      "parameters.max_output_tokens": "max_completion_tokens",
      "parameters.min_output_tokens": "min_tokens",
      "parameters.repetition_penalty": "repetition_penalty",
      "parameters.n": "n",
      "reasoning.budget_tokens": "thinking_token_budget",
    },
    // New versions call it so; they still take the older reasoning_content, which old ones need.
    reasoningReplay: "reasoning_content",
    regex: (pattern) => ({ structured_outputs: { regex: pattern } }),
  },
  {
    ...ownServer,
    name: "sglang",
    title: "SGLang",
    baseUrl: "http://127.0.0.1:30000/v1",
    fields: {
      ...commonFields,
      ...samplingFields,
      "parameters.max_output_tokens": "max_completion_tokens",
      "parameters.min_output_tokens": "min_tokens",
      "parameters.repetition_penalty": "repetition_penalty",
      "parameters.n": "n",
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
    imageUrls: false,
  },
  {
    ...ownServer,
    name: "llamacpp",
    title: "llama.cpp",
    baseUrl: "http://127.0.0.1:8080/v1",
    fields: {
      ...commonFields,
      ...samplingFields,
      "parameters.max_output_tokens": "max_tokens",
      "parameters.repetition_penalty": "repeat_penalty",
    },
    // A named tool is silently turned into auto.
    toolChoice: "modes",
    // The server fetches addresses itself, from inside the operator's network.
    imageUrls: false,
    topKOff: 0,
    flatSchema: true,
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
    imageUrls: false,
    topKOff: 0,
  },
];

/** Every server that speaks OpenAI's dialect, OpenAI first. A new one is an entry in the table above. */
export const compatibleDeclarations: readonly ProviderDeclaration[] = servers.map(
  ({ name, baseUrl, onBy, ...quirks }) => ({
    name,
    keyVariable: `${name.toUpperCase()}_API_KEY`,
    baseUrlVariable: `${name.toUpperCase()}_BASE_URL`,
    defaultBaseUrl: baseUrl,
    onBy,
    create: (settings) => createOpenAiAdapter(settings, quirks),
  }),
);

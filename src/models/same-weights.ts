/**
 * Entries of the catalog that are the same weights at different providers, by their ids. Each keeps its own window,
 * limits and rules, and a name never moves a call to another provider by itself; so these are no aliases of one entry.
 * Precision is the provider's own affair.
 */
const groups: readonly (readonly string[])[] = [
  ["llama-2-7b-chat", "meta-llama/Llama-2-7b-chat-hf"],
  ["llama-2-13b-chat", "meta-llama/Llama-2-13b-chat-hf"],
  ["llama-2-70b-chat", "meta-llama/Llama-2-70b-chat-hf"],
  ["llama-3-8b-instruct", "meta-llama/Meta-Llama-3-8B-Instruct"],
  ["llama-3-70b-instruct", "meta-llama/Meta-Llama-3-70B-Instruct"],
  [
    "llama-3-1-8b-instruct",
    "llama3.1-8b",
    "meta-llama/Meta-Llama-3.1-8B-Instruct",
    "groq/llama-3.1-8b-instant",
    "openrouter/meta-llama/llama-3.1-8b-instruct",
  ],
  ["llama-3-1-70b-instruct", "llama3.1-70b", "meta-llama/Meta-Llama-3.1-70B-Instruct"],
  [
    "llama-3-3-70b-instruct",
    "groq/llama-3.3-70b-versatile",
    "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    "openrouter/meta-llama/llama-3.3-70b-instruct",
  ],
  ["mixtral-8x7b-instruct", "mistralai/Mixtral-8x7B-Instruct-v0.1"],
  ["mixtral-8x22b-instruct", "mistralai/Mixtral-8x22B-Instruct-v0.1"],
  [
    "gpt-oss-120b",
    "cerebras/gpt-oss-120b",
    "deepinfra/openai/gpt-oss-120b",
    "groq/openai/gpt-oss-120b",
    "openrouter/openai/gpt-oss-120b",
    "together/openai/gpt-oss-120b",
  ],
  ["gpt-oss-20b", "deepinfra/openai/gpt-oss-20b", "groq/openai/gpt-oss-20b", "openrouter/openai/gpt-oss-20b"],
];

/** The other ids of the weights that an id names; none for most. */
export function sameWeights(id: string): readonly string[] {
  return groups.find((group) => group.includes(id))?.filter((other) => other !== id) ?? [];
}

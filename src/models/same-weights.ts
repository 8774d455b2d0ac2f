/**
 * Groups of catalog ids for the same weights at different providers. The precision may differ.
 *
 * The ids of a group are not aliases, because each has its own context window, limits and profile. Dragoman only
 * suggests them in errors and never sends a call to another provider on its own.
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
  ["cohere/embed-v4.0", "bedrock/cohere.embed-v4:0"],
  ["cohere/embed-english-v3.0", "bedrock/cohere.embed-english-v3"],
  ["cohere/embed-multilingual-v3.0", "bedrock/cohere.embed-multilingual-v3"],
];

/** Returns the ids of the same weights at other providers. Empty for most ids. */
export function sameWeights(id: string): readonly string[] {
  return groups.find((group) => group.includes(id))?.filter((other) => other !== id) ?? [];
}

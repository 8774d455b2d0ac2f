/** Model ids of the earlier Scale EGP chat completions API, as its document lists them. */
export const seed001 = `gpt-4 gpt-4-0613 gpt-4-32k gpt-4-32k-0613 gpt-4o gpt-4o-mini gpt-4o-2024-08-06 gpt-3.5-turbo
  gpt-3.5-turbo-0613 gpt-3.5-turbo-16k gpt-3.5-turbo-16k-0613 gemini-pro gemini-1.5-pro-001 gemini-1.5-pro-002
  gemini-1.5-pro-preview-0409 gemini-1.5-pro-preview-0514 llama-2-7b-chat llama-2-13b-chat llama-2-70b-chat
  llama-3-8b-instruct llama-3-70b-instruct llama-3-1-8b-instruct llama-3-1-70b-instruct llama-3-2-1b-instruct
  llama-3-2-3b-instruct Meta-Llama-3-8B-Instruct-RMU Meta-Llama-3-8B-Instruct-RR Meta-Llama-3-8B-Instruct-DERTA
  Meta-Llama-3-8B-Instruct-LAT mixtral-8x7b-instruct mixtral-8x22b-instruct claude-3-opus-20240229
  claude-3-sonnet-20240229 claude-3-haiku-20240307 claude-3-5-sonnet-20240620 claude-3-5-sonnet-20241022
  mistral-large-latest phi-3-mini-4k-instruct phi-3-cat-merged zephyr-cat-merged dolphin-2.9-llama3-8b
  dolphin-2.9-llama3-70b llama3-1-405b-instruct-v1`.split(/\s+/);

/** Model ids of the later Scale EGP chat completions API. */
export const seed000 = [
  ...seed001,
  ..."gpt-oss-120b gpt-oss-20b o1 o1-mini o3-mini llama-3-3-70b-instruct defense-llama-3-8b-instruct".split(" "),
  "donovan-combat-llama",
];

/** What a template sees of a message. */
export interface Turn {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** Writes a conversation as the prompt that a family of models was trained on. The model goes on where it ends. */
type Template = (turns: readonly Turn[]) => string;

// The beginning token is left out where it is the tokenizer's own doing: vLLM adds it to a raw prompt.

/** https://huggingface.co/meta-llama/Llama-2-7b-chat-hf, tokenizer_config.json */
const llama2: Template = (turns) =>
  withSystemInside(turns, (system) => `<<SYS>>\n${system}\n<</SYS>>\n\n`)
    .map(({ role, content }, index) => {
      if (role === "assistant") return ` ${content.trim()} </s>`;
      return `${index === 0 ? "" : "<s>"}[INST] ${content.trim()} [/INST]`;
    })
    .join("");

/** https://huggingface.co/mistralai/Mixtral-8x7B-Instruct-v0.1, tokenizer_config.json */
const mixtral: Template = (turns) =>
  withSystemInside(turns, (system) => `${system}\n\n`)
    .map(({ role, content }) => (role === "assistant" ? ` ${content.trim()}</s>` : ` [INST] ${content.trim()} [/INST]`))
    .join("");

/** https://huggingface.co/meta-llama/Meta-Llama-3-8B-Instruct, tokenizer_config.json */
const llama3: Template = (turns) =>
  turns
    .map(({ role, content }) => `<|start_header_id|>${role}<|end_header_id|>\n\n${content.trim()}<|eot_id|>`)
    .concat("<|start_header_id|>assistant<|end_header_id|>\n\n")
    .join("");

/** https://huggingface.co/cognitivecomputations/dolphin-2.9-llama3-8b, tokenizer_config.json */
const chatMl: Template = (turns) =>
  turns
    .map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`)
    .concat("<|im_start|>assistant\n")
    .join("");

export const templates = { "llama-2": llama2, "llama-3": llama3, mixtral, chatml: chatMl } as const satisfies Record<
  string,
  Template
>;

export type TemplateName = keyof typeof templates;

/** The first that fits decides. */
const families: readonly (readonly [RegExp, TemplateName])[] = [
  [/dolphin|chatml|qwen|hermes/, "chatml"],
  [/mixtral|mistral/, "mixtral"],
  [/llama-?2/, "llama-2"],
  [/llama/, "llama-3"],
];

/** The template of the family that an endpoint's name tells of; undefined when it tells of none. */
export function templateFor(endpoint: string): TemplateName | undefined {
  return families.find(([pattern]) => pattern.test(endpoint.toLowerCase()))?.[1];
}

/** Puts the system text into the first user turn, for families without a system turn. */
function withSystemInside(turns: readonly Turn[], wrap: (system: string) => string): readonly Turn[] {
  const system = turns.filter(({ role }) => role === "system").map(({ content }) => content);
  if (system.length === 0) return turns;
  const others = turns.filter(({ role }) => role !== "system");
  const first = others[0]?.role === "user" ? others.shift() : undefined;
  return [{ role: "user", content: wrap(system.join("\n\n")) + (first?.content ?? "") }, ...others];
}

import type { Model } from "../gen/dragoman/v1/model_pb.js";

/** How the models of a family want their prompt written. */
export interface TemplateFamily {
  /** The text of the token that begins a prompt. Undefined where the family has none. */
  readonly bosToken: string | undefined;
  /** The text of the token that ends an answer. */
  readonly eosToken: string;
  /** Whether callers' templates see bos_token. Those for Mixtral do not, although it has one (seeds 000 and 001). */
  readonly showsBosToken: boolean;
  /** Whether only the first message can be a system message, and all after it are the user's or the assistant's. */
  readonly systemOnlyFirst: boolean;
  /** Further variables of the stock template, which chat_template_kwargs can set. */
  readonly kwargs: readonly string[];
}

/** The families that there is a stock template for: `Model.template_family`. Tokens: tokenizer_config.json of each. */
export const templateFamilies = {
  // https://huggingface.co/meta-llama/Llama-2-7b-chat-hf
  "llama-2": { bosToken: "<s>", eosToken: "</s>", showsBosToken: true, systemOnlyFirst: true, kwargs: [] },
  // https://huggingface.co/meta-llama/Meta-Llama-3-8B-Instruct
  "llama-3": {
    bosToken: "<|begin_of_text|>",
    eosToken: "<|eot_id|>",
    showsBosToken: true,
    systemOnlyFirst: false,
    kwargs: [],
  },
  // https://huggingface.co/mistralai/Mixtral-8x7B-Instruct-v0.1
  mixtral: { bosToken: "<s>", eosToken: "</s>", showsBosToken: false, systemOnlyFirst: true, kwargs: [] },
  // https://huggingface.co/Qwen/Qwen3-8B
  chatml: {
    bosToken: undefined,
    eosToken: "<|im_end|>",
    showsBosToken: false,
    systemOnlyFirst: false,
    kwargs: ["enable_thinking"],
  },
  // https://huggingface.co/HuggingFaceH4/zephyr-7b-beta
  zephyr: { bosToken: "<s>", eosToken: "</s>", showsBosToken: true, systemOnlyFirst: false, kwargs: [] },
  // https://huggingface.co/microsoft/Phi-3-mini-4k-instruct
  "phi-3": { bosToken: "<s>", eosToken: "<|endoftext|>", showsBosToken: true, systemOnlyFirst: false, kwargs: [] },
} as const satisfies Record<string, TemplateFamily>;

export type TemplateFamilyName = keyof typeof templateFamilies;

/** A family, or `none` for models that only complete texts: their prompt is the one message as it is. */
export type TemplateChoice = TemplateFamilyName | "none";

export const templateChoices = [...Object.keys(templateFamilies).filter(isFamily), "none"] as const;

function isFamily(name: string): name is TemplateFamilyName {
  return Object.hasOwn(templateFamilies, name);
}

/** The first that fits decides. */
const endpointNames: readonly (readonly [RegExp, TemplateFamilyName])[] = [
  [/dolphin|chatml|qwen|hermes/, "chatml"],
  [/zephyr/, "zephyr"],
  [/mixtral|mistral/, "mixtral"],
  [/phi-?3/, "phi-3"],
  [/llama-?2/, "llama-2"],
  [/llama/, "llama-3"],
];

/** The family that the catalog names, else the one that the endpoint's name tells of; undefined when neither does. */
export function templateChoice({ templateFamily: named, providerModel }: Model): TemplateChoice | undefined {
  if (named === "none" || isFamily(named)) return named;
  return endpointNames.find(([pattern]) => pattern.test(providerModel.toLowerCase()))?.[1];
}

export function familyOf(choice: TemplateChoice | undefined): TemplateFamily | undefined {
  return choice === undefined || choice === "none" ? undefined : templateFamilies[choice];
}

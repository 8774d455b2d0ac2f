import type { Model } from "../gen/dragoman/v1/model_pb.js";

/** Prompt format of a family of models. */
export interface TemplateFamily {
  /** BOS token, which starts a prompt. Undefined: none. */
  readonly bosToken: string | undefined;
  /** EOS token, which ends a response. */
  readonly eosToken: string;
  /**
   * Whether `bos_token` has its value in callers' templates. The Scale EGP chat completions API does not provide
   * Mixtral's, which the inference engine adds.
   */
  readonly showsBosToken: boolean;
  /** Whether a system message can only be the first message. */
  readonly systemOnlyFirst: boolean;
  /** Additional variables of the stock template. chat_template_kwargs can set them. */
  readonly kwargs: readonly string[];
}

/** Families with a stock template, by `Model.template_family`. The tokens are from each tokenizer_config.json. */
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

/** A family, or `none` for completion-only models: their prompt is the text of the message, without a template. */
export type TemplateChoice = TemplateFamilyName | "none";

export const templateChoices = [...Object.keys(templateFamilies).filter(isFamily), "none"] as const;

function isFamily(name: string): name is TemplateFamilyName {
  return Object.hasOwn(templateFamilies, name);
}

/** Families by endpoint name. The first match applies. */
const endpointNames: readonly (readonly [RegExp, TemplateFamilyName])[] = [
  [/dolphin|chatml|qwen|hermes/, "chatml"],
  [/zephyr/, "zephyr"],
  [/mixtral|mistral/, "mixtral"],
  [/phi-?3/, "phi-3"],
  [/llama-?2/, "llama-2"],
  [/llama/, "llama-3"],
];

/** Returns the family in the catalog, else the one that the endpoint name suggests. Undefined if neither is known. */
export function templateChoice({ templateFamily: named, providerModel }: Model): TemplateChoice | undefined {
  if (named === "none" || isFamily(named)) return named;
  return endpointNames.find(([pattern]) => pattern.test(providerModel.toLowerCase()))?.[1];
}

export function familyOf(choice: TemplateChoice | undefined): TemplateFamily | undefined {
  return choice === undefined || choice === "none" ? undefined : templateFamilies[choice];
}

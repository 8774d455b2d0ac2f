import type { OptionalField } from "../fields.ts";
import { commonQuirks, type Quirks } from "../quirks.ts";

/** One server that speaks OpenAI's dialect: where it is, and how it differs. */
export interface CompatibleServer extends Quirks {
  readonly name: string;
  readonly baseUrl: string;
  /** What turns it on: its key, or its address for servers of one's own. */
  readonly onBy: "key" | "url";
}

type Fields = Partial<Record<OptionalField, string>>;

/** The fields of sampling that every server takes, by OpenAI's name. */
export const basicFields = {
  "parameters.temperature": "temperature",
  "parameters.top_p": "top_p",
} as const satisfies Fields;

/** The fields that nearly every server takes by OpenAI's name. */
export const commonFields = {
  ...basicFields,
  "parameters.stop_sequences": "stop",
  "parameters.seed": "seed",
  "parameters.presence_penalty": "presence_penalty",
  "parameters.frequency_penalty": "frequency_penalty",
  "parameters.logprobs": "logprobs",
  "parameters.top_logprobs": "top_logprobs",
  "reasoning.effort": "reasoning_effort",
} as const satisfies Fields;

/** The further sampling fields of servers that run open models. */
export const openModelFields = {
  "parameters.top_k": "top_k",
  "parameters.min_p": "min_p",
  "parameters.repetition_penalty": "repetition_penalty",
} as const satisfies Fields;

/** A server of one's own. */
export const ownServer = { ...commonQuirks, onBy: "url" } as const satisfies Partial<CompatibleServer>;

/** A server that others run, for those with a key. */
export const hostedServer = { ...commonQuirks, onBy: "key" } as const satisfies Partial<CompatibleServer>;

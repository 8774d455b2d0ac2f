import { z } from "zod";
import { ModelCapabilitiesSchema } from "../gen/dragoman/v1/model_pb.js";
import { ReasoningEffortSchema } from "../gen/dragoman/v1/reasoning_pb.js";
import { parameterNames } from "../models/parameter-names.ts";
import { profileNames } from "../profiles/profiles.ts";
import { decimalForms, oneOf, wholeNumberForms } from "./json-forms.ts";
import { parseCount, parseDecimal } from "./quantities.ts";
import { choice, flag, leaf, section, text } from "./rules.ts";

export const profile = choice(...profileNames);

const tokens = leaf({
  parse: parseCount,
  problem: "is not a number of tokens",
  fix: "write a number from 0 (unknown) to 2147483647",
  forms: wholeNumberForms(0, 2 ** 31 - 1),
  shown: true,
});

/** Parses a maximum temperature from 0 to 2. GenerationParameters.temperature cannot be higher than 2. */
function parseTemperature(value: unknown): number | undefined {
  const number = parseDecimal(value);
  return number !== undefined && number <= 2 ? number : undefined;
}
const temperature = leaf({
  parse: parseTemperature,
  problem: "is not a temperature",
  fix: "write a number from 0 to 2",
  forms: decimalForms({ minimum: 0, maximum: 2 }),
  shown: true,
});

const parameters = z.array(
  section({
    name: text,
    type: choice("string", "integer", "number", "boolean"),
    description: text.optional(),
    required: flag.prefault(false),
  }),
);

/** One optional flag for each field of ModelCapabilities, by proto field name. */
const capabilities = section(
  Object.fromEntries(ModelCapabilitiesSchema.fields.map(({ name }) => [name, flag.optional()])),
);

const efforts = ReasoningEffortSchema.values.filter(({ number }) => number > 0);
const effort = leaf({
  parse: (value) => {
    const name = String(value).toUpperCase();
    return efforts.find((known) => known.localName === name)?.number;
  },
  problem: "is not a reasoning effort",
  fix: "write none, minimal, low, medium, high, xhigh or max",
  forms: [
    oneOf(...efforts.map(({ localName }) => localName.toLowerCase()), ...efforts.map(({ localName }) => localName)),
  ],
  shown: true,
});

const parameterName = choice(...parameterNames);

/** Keys of both `models` and `deployments` entries. An omitted key leaves the value of the changed model as it is. */
const facts = {
  display_name: text.optional(),
  profile: profile.optional(),
  context_window: tokens.optional(),
  max_output_tokens: tokens.optional(),
  max_temperature: temperature.optional(),
  family: text.optional(),
  template_family: choice("llama-2", "llama-3", "mixtral", "chatml", "zephyr", "phi-3", "none").optional(),
  capabilities: capabilities.optional(),
  // These replace the rules of the model's family.
  reasoning_efforts: z.array(effort).optional(),
  supported_parameters: z.array(parameterName).optional(),
  unsupported_parameters: z.array(parameterName).optional(),
  parameters: parameters.prefault([]),
};

/** One entry of `models`. */
export const modelSchema = section({
  provider: text.optional(),
  provider_model: text.optional(),
  aliases: z.array(text).optional(),
  ...facts,
});
export type ModelSection = z.output<typeof modelSchema>;

/** One entry of `deployments`. */
export const deploymentSchema = section({
  model: text,
  account: text.optional(),
  completion_only: flag.prefault(false),
  ...facts,
});
export type DeploymentSection = z.output<typeof deploymentSchema>;

import { type ContractFieldsOf, contractNames } from "../../chat/planning/provider-options.ts";
import { namesOfFields } from "../chat-completions/contract-fields.ts";
import { taken } from "./request.ts";
import type { CompletionBody } from "./wire.ts";

/** Fields of the v1 body that ChatRequest has fields for. */
export const completionNames = contractNames({
  ...({
    prompt: "messages",
    max_new_tokens: "parameters.max_output_tokens",
    temperature: "parameters.temperature",
    guided_json: "output_format.json_schema",
    guided_regex: "output_format.regex",
  } satisfies ContractFieldsOf<CompletionBody>),
  ...namesOfFields(taken),
});

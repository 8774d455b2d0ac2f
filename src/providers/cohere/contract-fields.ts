import { type ContractFieldsOf, contractNames, streamMethods } from "../../chat/planning/provider-options.ts";
import { namesOfFields } from "../chat-completions/contract-fields.ts";
import { cohereFields } from "./fields.ts";
import type { CohereBody } from "./wire.ts";

/** Fields of the body that ChatRequest has fields for. */
export const cohereNames = contractNames({
  ...namesOfFields(cohereFields),
  ...({
    model: "model",
    messages: "messages",
    stream: streamMethods,
    tools: [{ function: "tools" }],
    strict_tools: "tools",
    tool_choice: "tool_choice",
    documents: {},
    citation_options: {},
    response_format: "output_format",
    thinking: "reasoning",
  } satisfies ContractFieldsOf<CohereBody>),
});

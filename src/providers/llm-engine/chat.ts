import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { partsOf } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { commonQuirks, type Quirks } from "../chat-completions/quirks.ts";
import { rejected } from "../kit/adaptations.ts";
import { readLlmEngineError } from "./errors.ts";

/**
 * How v2 differs from OpenAI's API. LLM Engine passes the body unchanged to vLLM or SGLang. Their version depends on
 * the endpoint. Dragoman therefore sends the field names that old versions also know.
 */
export const chatQuirks: Quirks = {
  ...commonQuirks,
  title: "LLM Engine",
  fields: {
    "parameters.max_output_tokens": "max_tokens",
    "parameters.min_output_tokens": "min_tokens",
    "parameters.temperature": "temperature",
    "parameters.top_p": "top_p",
    "parameters.top_k": "top_k",
    "parameters.min_p": "min_p",
    "parameters.stop_sequences": "stop",
    "parameters.n": "n",
    "parameters.seed": "seed",
    "parameters.presence_penalty": "presence_penalty",
    "parameters.frequency_penalty": "frequency_penalty",
    "parameters.repetition_penalty": "repetition_penalty",
    "parameters.logprobs": "logprobs",
    "parameters.top_logprobs": "top_logprobs",
    "parameters.logit_bias": "logit_bias",
    "reasoning.effort": "reasoning_effort",
    parallel_tool_calls: "parallel_tool_calls",
    chat_template: "chat_template",
    chat_template_kwargs: "chat_template_kwargs",
  },
  regex: (pattern) => ({ guided_regex: pattern }),
  // vLLM and SGLang accept every name.
  toolNames: undefined,
  adaptations: templateAdaptations,
  readError: readLlmEngineError,
};

/** Rejects media, tool calls and tool results if the caller sends a template (Scale EGP chat completions API). */
function* templateAdaptations({ chatTemplate, messages }: ChatRequest): Generator<Adaptation> {
  if (chatTemplate === undefined) return;
  for (const { part, path } of partsOf(messages)) {
    const { kind } = part;
    if (kind.case !== "media" && kind.case !== "toolCall" && kind.case !== "toolResult") continue;
    yield rejected(path, "chat templates support only text: omit this part or chat_template");
  }
}

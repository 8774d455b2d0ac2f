import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { partsOf } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { commonQuirks, type Quirks } from "../chat-completions/quirks.ts";
import { rejected } from "../kit/adaptations.ts";
import { readLlmEngineError } from "./errors.ts";

/**
 * How v2 differs from OpenAI: the body is passed on to vLLM or SGLang as it is, in whatever version the endpoint's image
 * has, so that the older names are used.
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
  adaptations: templateAdaptations,
  readError: readLlmEngineError,
};

/** Templates that callers send see the text of messages and nothing else (seeds 000 and 001). */
function* templateAdaptations({ chatTemplate, messages }: ChatRequest): Generator<Adaptation> {
  if (chatTemplate === undefined) return;
  for (const { part, path } of partsOf(messages)) {
    const { kind } = part;
    if (kind.case !== "media" && kind.case !== "toolCall" && kind.case !== "toolResult") continue;
    yield rejected(path, "a chat template shows the model only text: leave this part or chat_template out");
  }
}

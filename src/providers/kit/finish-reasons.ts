import type { Reason } from "../../errors.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import { lookUp } from "../../look-up.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { failedAnswer, toolCallFailure } from "./errors.ts";

// One table for all APIs: proxies and servers for several models pass on the words of other vendors.

const { UNSPECIFIED, STOP, LENGTH, TOOL_CALLS, CONTENT_FILTER } = FinishReason;

const meanings: Readonly<Record<string, FinishReason>> = {
  // Google's word for no reason.
  unspecified: UNSPECIFIED,
  stop: STOP,
  stop_sequence: STOP,
  end_turn: STOP,
  eos: STOP,
  eos_token: STOP,
  complete: STOP,
  completed: STOP,
  length: LENGTH,
  max_tokens: LENGTH,
  max_output_tokens: LENGTH,
  model_length: LENGTH,
  model_context_window_exceeded: LENGTH,
  continuation: LENGTH,
  tool_call: TOOL_CALLS,
  tool_calls: TOOL_CALLS,
  tool_use: TOOL_CALLS,
  function_call: TOOL_CALLS,
  content_filter: CONTENT_FILTER,
  content_filtered: CONTENT_FILTER,
  guardrail_intervened: CONTENT_FILTER,
  refusal: CONTENT_FILTER,
  sensitive: CONTENT_FILTER,
  safety: CONTENT_FILTER,
  recitation: CONTENT_FILTER,
  blocklist: CONTENT_FILTER,
  prohibited_content: CONTENT_FILTER,
  spii: CONTENT_FILTER,
  model_armor: CONTENT_FILTER,
  image_safety: CONTENT_FILTER,
  image_prohibited_content: CONTENT_FILTER,
  image_recitation: CONTENT_FILTER,
};

/** Finish reasons that mean a failure, each with the reason of the error that callers get before any output. */
const failures: Readonly<Record<string, Reason>> = {
  // OpenRouter, Mistral and Cohere.
  error: "PROVIDER_UNAVAILABLE",
  // SGLang.
  abort: "PROVIDER_UNAVAILABLE",
  // DeepSeek.
  insufficient_system_resource: "PROVIDER_UNAVAILABLE",
  // Zhipu.
  network_error: "PROVIDER_UNAVAILABLE",
  // Cohere.
  timeout: "PROVIDER_TIMEOUT",
  // Bedrock.
  malformed_model_output: "PROVIDER_FAULT",
  // Google.
  malformed_response: "PROVIDER_FAULT",
  too_many_tool_calls: "PROVIDER_FAULT",
};

/** Finish reasons that mean that the provider rejected the model's tool call. */
const toolCallFailures: ReadonlySet<string> = new Set([
  "malformed_function_call",
  "unexpected_tool_call",
  "malformed_tool_use",
]);

/** Finish reasons of responses that may contain the calls that Google objects to: they are then no failures. */
const withCalls: ReadonlySet<string> = new Set(["unexpected_tool_call", "too_many_tool_calls"]);

/**
 * Returns what a finish reason means. UNSPECIFIED: the provider reports none. Throws if the word reports a failure.
 *
 * @param hasCalls whether the choice has tool calls
 * @param message the provider's own words about the reason
 */
export function readFinishReason(word: string, call: UpstreamCall, hasCalls: boolean, message = ""): FinishReason {
  if (word === "") return UNSPECIFIED;
  for (const name of namesOf(word)) {
    if (hasCalls && withCalls.has(name)) return TOOL_CALLS;
    if (toolCallFailures.has(name)) throw toolCallFailure(call, word, message);
    const failure = lookUp(failures, name);
    if (failure !== undefined) throw failedAnswer(call, failure, word);
    const meaning = lookUp(meanings, name);
    if (meaning !== undefined) return meaning;
  }
  return FinishReason.OTHER;
}

/**
 * Returns the names to look up, in the form of the tables: some servers write them in upper case or with other signs.
 * Google's OpenAI-compatible API joins two: `function_call_filter: MALFORMED_FUNCTION_CALL`.
 */
function namesOf(word: string): readonly string[] {
  return word
    .toLowerCase()
    .split(":")
    .map((name) =>
      name
        .trim()
        .replace(/[-\s]/g, "_")
        .replace(/^finish_reason_/, ""),
    );
}

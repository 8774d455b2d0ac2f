import type { StopReason } from "@anthropic-ai/sdk/resources/messages/messages.js";
import type { StopReason as BedrockStopReason } from "@aws-sdk/client-bedrock-runtime";
import type { FinishReason as GoogleFinishReason } from "@google/genai";
import type { ChatCompletion } from "openai/resources/chat/completions/completions.js";
import { describe, expect, it } from "vitest";
import { GatewayError, type Reason } from "../../../src/errors.ts";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { anthropicModels } from "../../../src/providers/anthropic/models.ts";
import { readFinishReason } from "../../../src/providers/kit/finish-reasons.ts";
import { playedCall } from "../../support/replay.ts";

const [model] = anthropicModels;
if (model === undefined) throw new Error("the catalog has no model");
const call = playedCall(model);

const { STOP, LENGTH, TOOL_CALLS, CONTENT_FILTER, OTHER } = FinishReason;

// Each table has all words of the type of the vendor's client.
const openai: Record<ChatCompletion.Choice["finish_reason"], FinishReason> = {
  stop: STOP,
  length: LENGTH,
  tool_calls: TOOL_CALLS,
  function_call: TOOL_CALLS,
  content_filter: CONTENT_FILTER,
};
const anthropic: Record<StopReason, FinishReason> = {
  end_turn: STOP,
  stop_sequence: STOP,
  max_tokens: LENGTH,
  model_context_window_exceeded: LENGTH,
  tool_use: TOOL_CALLS,
  refusal: CONTENT_FILTER,
  pause_turn: OTHER,
};
const bedrock: Record<BedrockStopReason, FinishReason | Reason> = {
  end_turn: STOP,
  stop_sequence: STOP,
  max_tokens: LENGTH,
  model_context_window_exceeded: LENGTH,
  tool_use: TOOL_CALLS,
  content_filtered: CONTENT_FILTER,
  guardrail_intervened: CONTENT_FILTER,
  malformed_model_output: "PROVIDER_FAULT",
  malformed_tool_use: "TOOL_CALL_INVALID",
};
const google: Record<`${GoogleFinishReason}`, FinishReason | Reason> = {
  FINISH_REASON_UNSPECIFIED: FinishReason.UNSPECIFIED,
  STOP: STOP,
  MAX_TOKENS: LENGTH,
  CONTINUATION: LENGTH,
  SAFETY: CONTENT_FILTER,
  RECITATION: CONTENT_FILTER,
  LANGUAGE: OTHER,
  OTHER: OTHER,
  BLOCKLIST: CONTENT_FILTER,
  PROHIBITED_CONTENT: CONTENT_FILTER,
  SPII: CONTENT_FILTER,
  MALFORMED_FUNCTION_CALL: "TOOL_CALL_INVALID",
  MALFORMED_RESPONSE: "PROVIDER_FAULT",
  UNEXPECTED_TOOL_CALL: "TOOL_CALL_INVALID",
  TOO_MANY_TOOL_CALLS: "PROVIDER_FAULT",
  IMAGE_SAFETY: CONTENT_FILTER,
  IMAGE_PROHIBITED_CONTENT: CONTENT_FILTER,
  IMAGE_RECITATION: CONTENT_FILTER,
  NO_IMAGE: OTHER,
  IMAGE_OTHER: OTHER,
};
const others: Record<string, FinishReason | Reason> = {
  // Cohere and Mistral.
  COMPLETE: STOP,
  TOOL_CALL: TOOL_CALLS,
  TIMEOUT: "PROVIDER_TIMEOUT",
  error: "PROVIDER_UNAVAILABLE",
  model_length: LENGTH,
  // Google's OpenAI-compatible API.
  "content_filter: PROHIBITED_CONTENT": CONTENT_FILTER,
  "function_call_filter: MALFORMED_FUNCTION_CALL": "TOOL_CALL_INVALID",
  // Older versions of Vertex AI.
  FINISH_REASON_MAX_TOKENS: LENGTH,
  "content-filter": CONTENT_FILTER,
  constructor: OTHER,
  "": FinishReason.UNSPECIFIED,
};

function meaningOf(word: string, hasCalls = false): FinishReason | Reason {
  try {
    return readFinishReason(word, call, hasCalls);
  } catch (error) {
    if (error instanceof GatewayError) return error.reason;
    throw error;
  }
}

describe.each(Object.entries({ openai, anthropic, bedrock, google, others }))("finish reasons of %s", (_, words) => {
  it.each(Object.entries(words))("%j has its meaning, in upper and lower case", (word, meaning) => {
    expect(meaningOf(word)).toBe(meaning);
    expect(meaningOf(word.toUpperCase())).toBe(meaning);
    expect(meaningOf(word.toLowerCase())).toBe(meaning);
  });
});

it.each([
  "UNEXPECTED_TOOL_CALL",
  "TOO_MANY_TOOL_CALLS",
  "function_call_filter: UNEXPECTED_TOOL_CALL",
])("%s is no failure of a response that has the calls", (word) => {
  expect(meaningOf(word, true)).toBe(TOOL_CALLS);
});

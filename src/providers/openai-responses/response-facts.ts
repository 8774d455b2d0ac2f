import { embeddedFailure, failedAnswer } from "../kit/errors.ts";
import { isFields, otherFields } from "../kit/metadata.ts";
import { isOtherModel } from "../kit/other-model.ts";
import { parseAnswer } from "../kit/parse-answer.ts";
import type { AnswerState } from "./answer-state.ts";
import { responsesUsage } from "./usage.ts";
import { responseSchema } from "./wire.ts";

/** Fields of a response that other code reads, that repeat the request, or that say nothing to a caller. */
const known: ReadonlySet<string> = new Set([
  ...["id", "object", "created_at", "completed_at", "status", "model", "output", "output_text", "error"],
  ...["incomplete_details", "usage", "service_tier"],
  ...["access_programs", "background", "context_management", "conversation", "frequency_penalty", "image", "include"],
  ...["instructions", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls", "presence_penalty"],
  ...["previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"],
  ...["reasoning", "safety_identifier", "store", "temperature", "text", "tool_choice", "tools", "top_logprobs"],
  ...["top_p", "truncation", "user"],
]);

/** Reads the facts of a response, which several events repeat. `isEnd`: the response is over. */
export function readResponse(answer: AnswerState, value: unknown, isEnd: boolean): void {
  const { call, errors, metadata } = answer;
  const response = parseAnswer(value, responseSchema, call, errors);
  if (response.id) call.attempt.providerResponseId = response.id;
  answer.serviceTier = response.service_tier ?? answer.serviceTier;
  for (const [name, fact] of otherFields(value, known)) metadata.add(name, fact);
  const { model, incomplete_details: details, tool_usage: toolUsage } = isFields(value) ? value : {};
  if (typeof model === "string" && isOtherModel(model, call.attempt.providerModel)) metadata.add("model", model);
  metadata.add("incomplete_details", Object.fromEntries(otherFields(details, new Set(["reason"]))));
  metadata.add("tool_usage", isFields(toolUsage) ? toolUsage : undefined);
  answer.usage = responsesUsage.add(answer.usage, response.usage);
  metadata.add("usage", responsesUsage.rest(response.usage));
  const searches = response.tool_usage?.web_search?.num_requests;
  if (searches !== undefined) answer.searches = searches;
  if (!isEnd) return;
  const { status } = response;
  if (status === "failed") {
    const error = errors.read({ error: response.error });
    throw error ? embeddedFailure(error, call, errors) : failedAnswer(call, "PROVIDER_UNAVAILABLE", status);
  }
  if (status === "cancelled") throw failedAnswer(call, "PROVIDER_UNAVAILABLE", status);
  answer.word = response.incomplete_details?.reason ?? status ?? "";
}

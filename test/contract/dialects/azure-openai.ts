import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { ask } from "../../support/requests.ts";
import type { Dialect, ErrorCase } from "../dialect.ts";
import {
  answer,
  chatUsageCases,
  declared,
  event,
  everyField,
  failures,
  leftOut,
  means,
  modelOf,
  sentAnyway,
  sentByOpenAiNames,
  text,
  thought,
  usageOf,
  type Wire,
} from "../fixtures/chat-completions.ts";
import { audioAnswer, openAiAnswers, openAiReplay } from "../fixtures/chat-completions-answers.ts";
import { chatContent } from "../fixtures/chat-completions-content.ts";
import { openAiConversation } from "../fixtures/conversations.ts";
import { chatCompletion } from "../whole/chat-completion.ts";

const safe = { hate: { filtered: false, severity: "safe" }, jailbreak: { filtered: false, detected: false } };

const wire: Wire = {
  // The content filter's results for the prompt, before the first choice.
  prefix: `data: ${JSON.stringify({
    choices: [],
    created: 0,
    id: "",
    model: "",
    object: "",
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: safe }],
  })}\n\n`,
  envelope: { usage: null, system_fingerprint: null },
  choice: { content_filter_results: safe, logprobs: null },
  facts: { content_filter_results: safe },
  envelopeFacts: { prompt_filter_results: [{ prompt_index: 0, content_filter_results: safe }] },
  usagePlace: "last chunk",
};

const model = modelOf("azure-openai", "my-deployment");

const filtered = { providerMetadataJson: JSON.stringify({ content_filter_results: safe }) };

const error = (name: string, status: number, code: string, reason: ErrorCase["reason"]): ErrorCase => ({
  name,
  status,
  body: { error: { message: "No.", type: null, code } },
  reason,
});

export const dialects: readonly Dialect[] = [
  {
    name: "azure-openai",
    provenance: "azure.js of the npm package openai 7.55.0, fixtures of vercel/ai of 2026-08 and Microsoft's documents",
    model,
    reader: "chat-completions",
    content: chatContent("azure-openai"),
    conversation: openAiConversation,
    stops: { field: "stop", max: 4 },
    whole: chatCompletion(),
    create: declared("azure-openai"),
    usage: chatUsageCases(wire),
    answers: {
      ...openAiAnswers(wire),
      "reasoning, then text": {
        // DeepSeek models on Azure.
        wire: answer(
          { ...wire, choice: { matched_stop: null } },
          [
            { role: null, content: null, reasoning_content: "Hm.", tool_calls: null },
            { role: null, content: "Hi", reasoning_content: null, tool_calls: null },
          ],
          "stop",
        ),
        completion: means([thought("Hm."), text("Hi")]),
      },
      "a content filter": {
        wire: answer(wire, [{ content: "Once" }], "content_filter", {
          content_filter_results: { ...safe, violence: { filtered: true, severity: "medium" } },
        }),
        completion: means([text("Once")], [FinishReason.CONTENT_FILTER, "content_filter"], {
          choice: {
            providerMetadataJson: JSON.stringify({
              content_filter_results: { ...safe, violence: { filtered: true, severity: "medium" } },
            }),
          },
        }),
      },
      "cached, cache-write and reasoning tokens": {
        wire: answer(
          {
            ...wire,
            usage: {
              prompt_tokens: 9,
              completion_tokens: 50,
              total_tokens: 59,
              prompt_tokens_details: null,
              reasoning_tokens: 40,
            },
          },
          [{ content: "Hi" }],
          "stop",
        ),
        completion: means([text("Hi")], undefined, {
          usage: usageOf(9, 50, { reasoningTokens: 40 }),
          choice: filtered,
        }),
      },
      "an unknown event and unknown fields": {
        // The asynchronous content filter sends its results later, in choices without a delta.
        wire: answer(wire, [{ content: "Hi" }], "stop").replace(
          "data: [DONE]",
          `${event({ choices: [{ index: 0, finish_reason: null, content_filter_results: safe, content_filter_offsets: { check_offset: 0 } }] })}data: [DONE]`,
        ),
        completion: means([text("Hi")], undefined, {
          usage: usageOf(9, 5),
          choice: {
            providerMetadataJson: JSON.stringify({
              content_filter_results: safe,
              content_filter_offsets: { check_offset: 0 },
            }),
          },
        }),
      },
      "media in the response": audioAnswer(wire, model),
    },
    errors: [
      error("an invalid request", 400, "BadRequest", "INVALID_REQUEST"),
      error("a long prompt", 400, "context_length_exceeded", "CONTEXT_LENGTH_EXCEEDED"),
      error("an unsupported parameter", 400, "unsupported_parameter", "INVALID_REQUEST"),
      error("an invalid API key", 401, "401", "PROVIDER_CREDENTIALS_REJECTED"),
      error("an API key of another resource", 401, "PermissionDenied", "PROVIDER_CREDENTIALS_REJECTED"),
      {
        name: "a bad API key at API Management",
        status: 401,
        body: { statusCode: 401, message: "No." },
        reason: "PROVIDER_CREDENTIALS_REJECTED",
      },
      error("a network rule", 403, "AccessDenied", "PROVIDER_PERMISSION_DENIED"),
      error("an unknown deployment", 404, "DeploymentNotFound", "MODEL_NOT_FOUND"),
      error("a wrong API version", 404, "404", "PROVIDER_FAULT"),
      error("a timeout", 408, "Timeout", "PROVIDER_UNAVAILABLE"),
      {
        ...error("a rate limit", 429, "429", "PROVIDER_RATE_LIMITED"),
        headers: { "retry-after-ms": "250" },
        retryAfterMs: 250,
      },
      error("an exceeded token rate limit", 429, "RateLimitReached", "PROVIDER_RATE_LIMITED"),
      error("an internal error", 500, "InternalServerError", "PROVIDER_UNAVAILABLE"),
      error("an overload", 503, "ServiceUnavailable", "PROVIDER_UNAVAILABLE"),
    ],
    failures: failures(wire),
    replay: openAiReplay(wire),
    everything: {
      request: everyField(model),
      sent: {
        ...sentAnyway(model),
        ...sentByOpenAiNames,
        max_completion_tokens: 100,
        n: 2,
        logit_bias: { 50256: -100 },
        reasoning_effort: "high",
        parallel_tool_calls: false,
        user: "user-1",
        prompt_cache_key: "key-1",
        service_tier: "flex",
        prediction: { type: "content", content: "Rain." },
        stream_options: { include_usage: true, include_obfuscation: false },
      },
    },
    limited: [
      {
        name: "fields of open-weight models",
        request: everyField(model),
        adaptations: leftOut(
          "parameters.min_output_tokens",
          "parameters.top_k",
          "parameters.min_p",
          "parameters.repetition_penalty",
          "chat_template_kwargs",
        ),
      },
      {
        name: "regex output",
        request: ask(model.id, "hello", { outputFormat: { format: { case: "regex", value: { pattern: "a" } } } }),
        adaptations: [{ kind: "REJECTED", field: "output_format.regex" }],
      },
    ],
  },
];

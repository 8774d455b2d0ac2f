import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ask } from "../../support/requests.ts";
import type { Dialect, ErrorCase } from "../dialect.ts";
import {
  answer,
  chatUsageCases,
  declared,
  everyField,
  failures,
  leftOut,
  means,
  modelOf,
  sentAnyway,
  sentByOpenAiNames,
  text,
  type Wire,
} from "../fixtures/chat-completions.ts";
import { audioAnswer, openAiAnswers, openAiReplay } from "../fixtures/chat-completions-answers.ts";
import { chatContent, openAiFile } from "../fixtures/chat-completions-content.ts";
import { openAiConversation } from "../fixtures/conversations.ts";
import { responsesDialect } from "../fixtures/openai-responses-dialect.ts";
import { chatCompletion } from "../whole/chat-completion.ts";

const wire: Wire = {
  envelope: { service_tier: "default", system_fingerprint: "fp_1", usage: null, obfuscation: "aZ3" },
  usagePlace: "last chunk",
};

const role = { role: "assistant", content: "", refusal: null };

const error = (name: string, status: number, type: string, code: string | null, reason: ErrorCase["reason"]) => ({
  name,
  status,
  body: { error: { message: "No.", type, param: null, code } },
  reason,
  code: code ?? type,
});

const model = modelOf("openai", "gpt-4o");

export const dialects: readonly Dialect[] = [
  {
    name: "openai",
    provenance: "types of the npm package openai 7.55.0 and the API reference of 2026-11",
    model,
    reader: "chat-completions",
    content: chatContent("openai", undefined, openAiFile),
    conversation: openAiConversation,
    stops: { field: "stop", max: 4 },
    whole: chatCompletion(),
    create: declared("openai", { api: "chat_completions" }),
    usage: chatUsageCases(wire),
    answers: {
      ...openAiAnswers(wire),
      "media in the response": audioAnswer(wire, model),
      "plain text": {
        wire: answer(wire, [role, { content: "Hi" }], "stop"),
        completion: { ...means([text("Hi")]), serviceTier: "default", systemFingerprint: "fp_1" },
      },
    },
    errors: [
      error(
        "a parameter that the model lacks",
        400,
        "invalid_request_error",
        "unsupported_parameter",
        "INVALID_REQUEST",
      ),
      error("an unsupported value", 400, "invalid_request_error", "unsupported_value", "INVALID_REQUEST"),
      error("a long prompt", 400, "invalid_request_error", "context_length_exceeded", "CONTEXT_LENGTH_EXCEEDED"),
      error("an invalid API key", 401, "invalid_request_error", "invalid_api_key", "PROVIDER_CREDENTIALS_REJECTED"),
      error("an unsupported country", 403, "request_forbidden", "unsupported_country", "PROVIDER_PERMISSION_DENIED"),
      error("an unknown model", 404, "invalid_request_error", "model_not_found", "MODEL_NOT_FOUND"),
      error("a timeout", 408, "timeout", null, "PROVIDER_UNAVAILABLE"),
      error("a conflict", 409, "conflict", null, "PROVIDER_UNAVAILABLE"),
      error("an invalid body", 422, "invalid_request_error", null, "INVALID_REQUEST"),
      {
        ...error("a rate limit", 429, "requests", "rate_limit_exceeded", "PROVIDER_RATE_LIMITED"),
        headers: { "retry-after-ms": "1500", "retry-after": "2" },
        retryAfterMs: 1500,
      },
      {
        ...error("a steep rise in requests", 429, "rate_limit_error", "slow_down", "PROVIDER_RATE_LIMITED"),
        retryAfterMs: 3000,
        headers: { "retry-after": "3" },
      },
      error("an exhausted quota", 429, "insufficient_quota", "insufficient_quota", "PROVIDER_QUOTA_EXHAUSTED"),
      error("an exhausted balance", 429, "insufficient_quota", "credit_balance_exhausted", "PROVIDER_QUOTA_EXHAUSTED"),
      error("an internal error", 500, "server_error", null, "PROVIDER_UNAVAILABLE"),
      { name: "502 from a proxy", status: 502, body: "<html>Bad Gateway</html>", reason: "PROVIDER_UNAVAILABLE" },
      error("an overload", 503, "service_unavailable_error", "server_is_overloaded", "PROVIDER_UNAVAILABLE"),
      { name: "a gateway timeout", status: 504, body: "<html></html>", reason: "PROVIDER_TIMEOUT" },
      { name: "a wrong URL", status: 404, body: "<html>Not Found</html>", reason: "PROVIDER_FAULT" },
    ],
    failures: failures(wire),
    replay: openAiReplay(wire),
    everything: {
      request: everyField(model),
      sent: {
        ...sentAnyway(model),
        ...sentByOpenAiNames,
        messages: [
          { role: "system", content: "Be brief." },
          { role: "developer", content: "Be kind." },
          { role: "user", name: "ann", content: "Look" },
        ],
        max_completion_tokens: 100,
        n: 2,
        logit_bias: { 50256: -100 },
        parallel_tool_calls: false,
        safety_identifier: "user-1",
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
          "reasoning.effort",
          "chat_template_kwargs",
        ),
      },
      {
        name: "raw reasoning, a budget and a template",
        request: ask("gpt-4o", "hello", {
          reasoning: { format: ReasoningFormat.RAW, control: { case: "budgetTokens", value: 5 } },
          chatTemplate: "x",
        }),
        adaptations: leftOut("reasoning.budget_tokens", "reasoning.format", "chat_template"),
      },
      {
        name: "regex output",
        request: ask("gpt-4o", "hello", {
          outputFormat: { format: { case: "regex", value: { pattern: "a" } } },
          reasoning: { control: { case: "effort", value: ReasoningEffort.NONE } },
        }),
        adaptations: [...leftOut("reasoning.effort"), { kind: "REJECTED", field: "output_format.regex" }],
      },
    ],
  },
  responsesDialect,
];

import { afterEach, describe, expect, it } from "vitest";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { streamFrom } from "../../support/attempt.ts";
import { configured } from "../../support/configured.ts";
import { type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { adapter, brief, collect, context, model, request } from "../chat-completions/harness.ts";

const closers: (() => PromiseLike<unknown> | undefined)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function failure(script: Script, body: unknown = "", name = "openai") {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = { "content-type": "application/json", "x-request-id": "req_7", ...script.headers };
  const upstream = await startReplayUpstream({ ...script, headers, steps: [{ write: text }] });
  const provider = adapter(`${upstream.baseUrl}/v1`, {}, name);
  closers.push(
    () => provider.close?.(),
    () => upstream[Symbol.asyncDispose](),
  );
  const { events, error } = await collect(provider.stream(request(), model(), context()));
  expect(events).toEqual([]);
  if (error === undefined) throw new Error("the call did not fail");
  return error;
}

const openAiError = (code: string | null, type = "invalid_request_error", message = "It is wrong.") => ({
  error: { message, type, param: null, code },
});

describe("an error status", () => {
  it.each([
    [400, openAiError("unsupported_parameter"), "INVALID_REQUEST", "INVALID_ARGUMENT"],
    [400, openAiError("context_length_exceeded"), "CONTEXT_LENGTH_EXCEEDED", "INVALID_ARGUMENT"],
    [400, openAiError(null), "INVALID_REQUEST", "INVALID_ARGUMENT"],
    [401, openAiError("invalid_api_key"), "PROVIDER_CREDENTIALS_REJECTED", "FAILED_PRECONDITION"],
    [401, { error: "Unauthorized" }, "PROVIDER_CREDENTIALS_REJECTED", "FAILED_PRECONDITION"],
    [402, openAiError(null), "PROVIDER_QUOTA_EXHAUSTED", "FAILED_PRECONDITION"],
    [403, openAiError("unsupported_country_region_territory"), "PROVIDER_PERMISSION_DENIED", "PERMISSION_DENIED"],
    [404, openAiError("model_not_found"), "MODEL_NOT_FOUND", "NOT_FOUND"],
    [404, { error: { message: "no such model", type: "not_found_error" } }, "MODEL_NOT_FOUND", "NOT_FOUND"],
    [404, { detail: "Not Found" }, "PROVIDER_FAULT", "INTERNAL"],
    [408, "", "PROVIDER_UNAVAILABLE", "UNAVAILABLE"],
    [409, openAiError(null), "PROVIDER_UNAVAILABLE", "UNAVAILABLE"],
    [413, openAiError(null), "INVALID_REQUEST", "INVALID_ARGUMENT"],
    [
      422,
      { detail: [{ loc: ["body"], msg: "field required", type: "missing" }] },
      "INVALID_REQUEST",
      "INVALID_ARGUMENT",
    ],
    [429, openAiError("rate_limit_exceeded", "requests"), "PROVIDER_RATE_LIMITED", "RESOURCE_EXHAUSTED"],
    [429, openAiError("slow_down", "rate_limit_error"), "PROVIDER_RATE_LIMITED", "RESOURCE_EXHAUSTED"],
    [429, openAiError("insufficient_quota", "insufficient_quota"), "PROVIDER_QUOTA_EXHAUSTED", "FAILED_PRECONDITION"],
    [429, openAiError("credit_balance_exhausted"), "PROVIDER_QUOTA_EXHAUSTED", "FAILED_PRECONDITION"],
    [500, openAiError(null, "server_error"), "PROVIDER_UNAVAILABLE", "UNAVAILABLE"],
    [502, "<html><body>Bad Gateway</body></html>", "PROVIDER_UNAVAILABLE", "UNAVAILABLE"],
    [503, openAiError("server_is_overloaded", "service_unavailable_error"), "PROVIDER_UNAVAILABLE", "UNAVAILABLE"],
    [503, openAiError("slow_down"), "PROVIDER_UNAVAILABLE", "UNAVAILABLE"],
    [499, "", "PROVIDER_UNAVAILABLE", "UNAVAILABLE"],
    [501, "", "PROVIDER_FAULT", "INTERNAL"],
    [504, "", "PROVIDER_TIMEOUT", "UNAVAILABLE"],
    [520, "", "PROVIDER_UNAVAILABLE", "UNAVAILABLE"],
    [405, openAiError(null), "INVALID_REQUEST", "INVALID_ARGUMENT"],
    [410, openAiError(null), "MODEL_NOT_FOUND", "NOT_FOUND"],
    [424, openAiError(null), "PROVIDER_UNAVAILABLE", "UNAVAILABLE"],
    [425, openAiError(null), "PROVIDER_RATE_LIMITED", "RESOURCE_EXHAUSTED"],
    [529, "", "PROVIDER_UNAVAILABLE", "UNAVAILABLE"],
    [307, "", "PROVIDER_FAULT", "INTERNAL"],
  ])("maps status %i with %j to %s", async (status, body, reason, name) => {
    const error = await failure({ status, headers: { location: "http://127.0.0.1:1/" } }, body);
    expect(error).toMatchObject({ reason, status: name });
    expect(error.facts.provider).toMatchObject({
      provider: "openai",
      providerModel: "gpt-4o",
      httpStatus: status,
      requestId: "req_7",
      outputStarted: false,
    });
  });

  it("classifies an error by its code, never by words in the message", async () => {
    const error = await failure(
      { status: 400 },
      openAiError(null, "invalid_request_error", "rate limit context_length_exceeded 429"),
    );
    expect(error.reason).toBe("INVALID_REQUEST");
  });

  it("reports the retry delay only for retryable errors", async () => {
    const rateLimit = openAiError("rate_limit_exceeded");
    expect((await failure({ status: 429, headers: { "retry-after": "2" } }, rateLimit)).facts.retryAfterMs).toBe(2_000);
    const both = { "retry-after": "1", "retry-after-ms": "150" };
    expect((await failure({ status: 429, headers: both }, rateLimit)).facts.retryAfterMs).toBe(150);
    const quota = await failure({ status: 429, headers: both }, openAiError("insufficient_quota"));
    expect(quota.facts.retryAfterMs).toBeUndefined();
  });

  it("reports the reset of an exhausted limit, unless the response requests a delay", async () => {
    const rateLimit = openAiError("rate_limit_exceeded");
    const headers = {
      "x-ratelimit-remaining-requests": "9",
      "x-ratelimit-reset-requests": "6m0s",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-tokens": "1.5s",
    };
    expect((await failure({ status: 429, headers }, rateLimit)).facts.retryAfterMs).toBe(1_500);
    const both = { ...headers, "retry-after": "9" };
    expect((await failure({ status: 429, headers: both }, rateLimit)).facts.retryAfterMs).toBe(9_000);
    const google = { error: { code: 429, status: "RESOURCE_EXHAUSTED", details: [{ retryDelay: "4s" }] } };
    expect((await failure({ status: 429, headers }, google, "gemini")).facts.retryAfterMs).toBe(4_000);
    expect((await failure({ status: 400, headers }, openAiError("x"))).facts.retryAfterMs).toBeUndefined();
  });

  it("quotes the provider's message, truncated to 500 characters", async () => {
    const error = await failure({ status: 400 }, openAiError("unsupported_value", "", "x".repeat(2_000)));
    expect(error.message).toMatch(/^the provider rejected the request: x{500}$/);
  });

  it("redacts an API key that the provider's message quotes", async () => {
    const message = "Incorrect API key provided: sk-te*****key.";
    expect((await failure({ status: 401 }, openAiError("invalid_api_key", "", message))).message).not.toContain("sk-");
    expect((await failure({ status: 400 }, openAiError(null, "", message))).message).not.toContain("sk-");
  });

  it.each([
    "gsk_abcdef123456",
    "fw_abcdef123456",
    "pplx-abcdef123456",
    "hf_abcdef123456",
    "xai-ab****56789",
  ])("redacts %s, which has the form of a provider's API key", async (key) => {
    const error = await failure({ status: 400 }, openAiError(null, "", `the key ${key} is not valid`));
    expect(error.message).toBe("the provider rejected the request: the key [redacted] is not valid");
  });

  it("reports the context window and the length of a prompt that is too long", async () => {
    const sentence =
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.";
    const metadata = { context_window_tokens: "8192", input_tokens: "9001" };
    const openAi = await failure({ status: 400 }, openAiError("context_length_exceeded", "", sentence));
    expect(openAi.facts.metadata).toMatchObject(metadata);
    const llamaCpp = {
      code: 400,
      message: "too long",
      type: "exceed_context_size_error",
      n_prompt_tokens: 9001,
      n_ctx: 8192,
    };
    const error = await failure({ status: 400 }, { error: llamaCpp }, "llamacpp");
    expect(error).toMatchObject({ reason: "CONTEXT_LENGTH_EXCEEDED", facts: { metadata } });
  });

  it.each([
    ["openai", "This model's maximum context length is 8192 tokens. However, you requested about 9001 tokens.", "8192"],
    [
      "bedrock",
      "This model's maximum context length is 8192 tokens. However, you requested about 9001 tokens.",
      "8192",
    ],
    ["xai", "This model's maximum prompt length is 8192 but the request contains 9001 tokens.", "8192"],
    [
      "cerebras",
      "Please reduce the length of the messages or completion. Current length is 9001 while limit is 8192",
      "8192",
    ],
    ["anthropic", "prompt is too long: 9001 tokens > 8192 maximum", "8192"],
    ["bedrock", "prompt is too long: 9001 tokens > 8192 maximum", "8192"],
    [
      "mistral",
      "Prompt contains 9001 tokens and 0 draft tokens, too large for model with 8192 maximum context length",
      "8192",
    ],
    ["gemini", "The input token count (9001) exceeds the maximum number of tokens allowed (8192).", "8192"],
    ["cohere", "too many tokens: total number of tokens in the prompt cannot exceed 8192 - received 9001.", "8192"],
    ["gemini", "The input token count exceeds the maximum number of tokens allowed (8192).", "8192"],
    ["moonshot", "Invalid request: Your request exceeded model token limit: 8192 (requested: 9001)", "8192"],
    ["moonshot", "Input token length too long", undefined],
    ["bedrock", "Input is too long for requested model.", undefined],
  ])("detects by %s's message that a prompt is too long: %s", async (name, sentence, limit) => {
    const error = await failure({ status: 400 }, openAiError(null, "", sentence), name);
    expect(error.reason).toBe("CONTEXT_LENGTH_EXCEEDED");
    expect(error.facts.metadata?.context_window_tokens).toBe(limit);
    expect(error.facts.metadata?.input_tokens).toBe(sentence.includes("9001") ? "9001" : undefined);
    expect((await failure({ status: 500 }, openAiError(null, "", sentence), name)).reason).toBe("PROVIDER_UNAVAILABLE");
  });

  it.each([
    [
      "xai",
      400,
      "Incorrect API key provided: gs***tF. Get one from https://console.x.ai.",
      "PROVIDER_CREDENTIALS_REJECTED",
    ],
    ["anthropic", 400, "Your credit balance is too low to access the Anthropic API.", "PROVIDER_QUOTA_EXHAUSTED"],
    [
      "cohere",
      429,
      "You are using a Trial key, which is limited to 1000 API calls / month.",
      "PROVIDER_QUOTA_EXHAUSTED",
    ],
    ["cohere", 429, "You are using a Trial key, which is limited to 40 API calls / minute.", "PROVIDER_RATE_LIMITED"],
    ["anthropic", 400, "the text 'Your credit balance is too low' is no role", "INVALID_REQUEST"],
  ])("classifies an error of %s with status %i by its message: %s", async (name, status, sentence, reason) => {
    const error = await failure({ status }, { error: sentence }, name);
    expect(error.reason).toBe(reason);
    expect(error.message).not.toContain("gs***tF");
  });

  it.each([
    [{ error: { message: "why" } }],
    [{ error: "why" }],
    [{ code: "text", error: "why" }],
    [{ object: "error", message: "why", code: 400 }],
    [{ message: "why" }],
    [{ detail: "why" }],
    [{ detail: [{ msg: "why" }] }],
    [{ fault: { faultstring: "why", detail: {} } }],
    [[{ error: { message: "why" } }]],
    ["why"],
  ])("finds the error message in %j", async (body) => {
    for (const name of ["openai", "anthropic", "bedrock", "cohere", "gemini", "llm-engine", "mistral"]) {
      expect((await failure({ status: 400 }, body, name)).message).toBe("the provider rejected the request: why");
    }
  });

  it("finds the message in DeepInfra's nested error", async () => {
    const { message } = await failure({ status: 400 }, { detail: { error: "why" } }, "deepinfra");
    expect(message).toBe("the provider rejected the request: why");
  });

  it("classifies a proxy's error in every adapter", async () => {
    const page = "<html><body>Bad Gateway</body></html>";
    for (const name of ["openai", "anthropic", "bedrock", "cohere", "gemini", "llm-engine", "mistral"]) {
      expect((await failure({ status: 404 }, page, name)).reason).toBe("PROVIDER_FAULT");
      expect((await failure({ status: 502 }, page, name)).reason).toBe("PROVIDER_UNAVAILABLE");
      expect((await failure({ status: 429, headers: { "retry-after": "2" } }, "slow down", name)).facts).toMatchObject({
        retryAfterMs: 2_000,
      });
    }
  });

  it("reads only the start of an endless error body", async () => {
    const flood = { flood: () => Buffer.alloc(16_384, "x") };
    const upstream = await startReplayUpstream({ status: 400, steps: [flood] });
    const provider = adapter(upstream.baseUrl);
    const seen = upstream.nextRequest();
    const { error } = await collect(provider.stream(request(), model(), context()));
    expect(error?.reason).toBe("INVALID_REQUEST");
    await (await seen).aborted;
    await provider.close?.();
    await upstream[Symbol.asyncDispose]();
  });
});

describe("errors that say more than their status", () => {
  const tooLong = "This model's maximum context length is 8 tokens. However, you requested 9 tokens";
  const generated = { message: "Failed to call a function.", code: "tool_use_failed", failed_generation: "<f>" };

  it.each([
    ["openrouter", { error: { code: 400, message: "no", metadata: { raw: openAiError(null, "x", tooLong) } } }],
    [
      "bedrock",
      {
        __type: "ValidationException",
        message: "Too many input tokens. Max input tokens: 8, request input token count: 9",
      },
    ],
    [
      "bedrock",
      {
        __type: "ValidationException",
        message: "input length and `max_tokens` exceed context limit: 9 + 3 > 8, decrease",
      },
    ],
    [
      "anthropic",
      openAiError(null, "invalid_request_error", "input length and `max_tokens` exceed context limit: 9 + 3 > 8"),
    ],
  ])("report the context window of %s", async (name, body) => {
    expect(await failure({ status: 400 }, body, name)).toMatchObject({
      reason: "CONTEXT_LENGTH_EXCEEDED",
      facts: { metadata: { context_window_tokens: "8", input_tokens: "9" } },
    });
  });

  it.each([
    ["groq", { error: generated }],
    ["openai", { error: generated }],
    ["cerebras", generated],
    ["openrouter", { error: { code: 400, message: "no", metadata: { raw: JSON.stringify({ error: generated }) } } }],
  ])("report the invalid tool call of a model at %s with its text", async (name, body) => {
    expect(await failure({ status: 400 }, body, name)).toMatchObject({
      reason: "TOOL_CALL_INVALID",
      facts: { failedGeneration: "<f>" },
    });
  });

  it.each([
    ["groq", openAiError("model_decommissioned"), "MODEL_NOT_FOUND"],
    ["mistral", { object: "error", message: "no", type: "x", code: 1500 }, "MODEL_NOT_FOUND"],
  ])("have codes that %s uses with status 400: %j", async (name, body, reason) => {
    expect((await failure({ status: 400 }, body, name)).reason).toBe(reason);
  });

  it("quote the message of a violation that Mistral sends as an object", async () => {
    const detail = [{ type: "extra_forbidden", loc: ["body", "x"], msg: "Extra inputs are not permitted" }];
    const body = { object: "error", message: { detail }, type: "invalid_request_error", raw_status_code: 422 };
    const error = await failure({ status: 422 }, body, "mistral");
    expect(error.message).toContain("Extra inputs are not permitted");
    expect(error.facts.metadata).toMatchObject({ parameter: "x" });
  });
});

describe("an error inside a response with status 200", () => {
  const text = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n';
  async function answer(body: string, contentType = "text/event-stream") {
    const upstream = await startReplayUpstream({ headers: { "content-type": contentType }, steps: [{ write: body }] });
    const provider = adapter(upstream.baseUrl);
    closers.push(
      () => provider.close?.(),
      () => upstream[Symbol.asyncDispose](),
    );
    return collect(streamFrom(provider, request(), model()).events);
  }

  it.each([
    ['{"error":{"message":"Oops","type":"server_error","param":null,"code":null}}', "PROVIDER_UNAVAILABLE"],
    [
      '{"error":{"message":"Oops","type":"InternalServerError","param":null,"code":500},"choices":[]}',
      "PROVIDER_UNAVAILABLE",
    ],
    ['{"error":{"message":"Slow","type":"rate_limit_error","code":"rate_limit_exceeded"}}', "PROVIDER_RATE_LIMITED"],
    ['{"error":{"message":"Slow","code":429}}', "PROVIDER_RATE_LIMITED"],
    ['{"error":{"message":"Slow","code":"429"}}', "PROVIDER_RATE_LIMITED"],
    ['{"error":"Oops"}', "PROVIDER_UNAVAILABLE"],
    ['{"code":"x","error":"Oops"}', "PROVIDER_UNAVAILABLE"],
    ['{"object":"error","message":"Oops","code":400}', "INVALID_REQUEST"],
    ['{"detail":"Oops"}', "PROVIDER_UNAVAILABLE"],
    [
      '{"choices":[{"index":0,"delta":{},"error":{"code":502,"message":"gone"},"finish_reason":"error"}]}',
      "PROVIDER_UNAVAILABLE",
    ],
    ['{"choices":[{"index":0,"delta":{},"finish_reason":"abort"}]}', "PROVIDER_UNAVAILABLE"],
  ])("classifies an error before output by its content: %s", async (data, reason) => {
    const { events, error } = await answer(`data: ${data}\n\ndata: [DONE]\n\n`);
    expect(events).toEqual([]);
    expect(error).toMatchObject({ reason, facts: { provider: { outputStarted: false } } });
  });

  it("reports PROVIDER_STREAM_INTERRUPTED after output, and keeps the output", async () => {
    const { events, error } = await answer(
      `${text}data: {"error":{"message":"Slow","code":"rate_limit_exceeded"}}\n\ndata: [DONE]\n\n`,
    );
    expect(brief(events)).toEqual(["started", "text 0.0 Hi"]);
    expect(error).toMatchObject({
      reason: "PROVIDER_STREAM_INTERRUPTED",
      facts: { metadata: { partial: "true" }, provider: { code: "rate_limit_exceeded", outputStarted: true } },
    });
  });

  it("detects an error by SSE event name, with any data", async () => {
    expect((await answer("event: error\ndata: overloaded\n\n")).error?.reason).toBe("PROVIDER_UNAVAILABLE");
    const { error } = await answer('event: error\ndata: {"error":{"code":"insufficient_quota"}}\n\n');
    expect(error?.reason).toBe("PROVIDER_QUOTA_EXHAUSTED");
  });

  it("detects an error that is the whole response", async () => {
    const { error } = await answer('{"error":{"message":"Slow","code":429}}', "application/json; charset=utf-8");
    expect(error?.reason).toBe("PROVIDER_RATE_LIMITED");
  });

  it("reports invalid JSON as PROVIDER_FAULT, and as an interruption after output", async () => {
    expect((await answer("data: <html>\n\n")).error?.reason).toBe("PROVIDER_FAULT");
    expect((await answer("<html><body>Oops</body></html>", "application/json")).error?.reason).toBe("PROVIDER_FAULT");
    expect((await answer(`${text}data: {"choi\n\n`)).error?.reason).toBe("PROVIDER_STREAM_INTERRUPTED");
  });
});

describe("an error of a content filter", () => {
  it.each([
    ["deepseek", 400, { error: { message: "Content Exists Risk", type: "invalid_request_error" } }],
    ["openrouter", 403, { error: { code: 403, message: 'Your input was flagged for "violence".' } }],
    ["xai", 403, { code: "forbidden", error: "Content violates usage guidelines. Failed check: SAFETY_CHECK" }],
    ["mistral", 400, { object: "error", message: "no", type: "content_filter", code: "1" }],
    ["openai", 400, openAiError("bio_policy")],
    ["openai", 400, openAiError("misalignment_policy_violation")],
    ["openai", 400, openAiError("image_content_policy_violation")],
    ["vllm", 400, openAiError("Content_Filter")],
    ["openai", 500, { error: { message: "no", code: "x", innererror: { code: "ResponsibleAIPolicyViolation" } } }],
    [
      "openrouter",
      403,
      { error: { code: 403, message: "Blocked", metadata: { reasons: ["violence"], flagged_input: "x" } } },
    ],
    [
      "openrouter",
      400,
      {
        error: {
          code: 400,
          message: "Provider returned error",
          metadata: { raw: '{"error":{"code":"content_filter","message":"no"}}' },
        },
      },
    ],
    [
      "bedrock",
      400,
      {
        __type: "ValidationException",
        message: "The model returned the following errors: Output blocked by content filtering policy",
      },
    ],
    [
      "anthropic",
      400,
      { error: { type: "invalid_request_error", message: "Output blocked by content filtering policy" } },
    ],
  ])("of %s ends the response with a finish reason", async (name, status, body) => {
    const headers = { "content-type": "application/json" };
    await using upstream = await startReplayUpstream({ status, headers, steps: [{ write: JSON.stringify(body) }] });
    const provider = configured(name, upstream.baseUrl);
    const { events, error } = await collect(streamFrom(provider, request(), model()).events);
    await provider.close?.();
    expect(error).toBeUndefined();
    expect(brief(events)[1]).toMatch(new RegExp(`^finished 0 ${FinishReason.CONTENT_FILTER} .`));
  });

  it("has the provider's words and the results of the filter as metadata of the choice", async () => {
    const result = { hate: { filtered: true, severity: "high" } };
    const innererror = { code: "ResponsibleAIPolicyViolation", content_filter_result: result };
    const body = JSON.stringify({ error: { message: "Blocked.", code: "content_filter", innererror } });
    await using upstream = await startReplayUpstream({ status: 400, steps: [{ write: body }] });
    const provider = configured("azure-openai", upstream.baseUrl);
    const { events } = await collect(streamFrom(provider, request(), model()).events);
    await provider.close?.();
    const end = events.find(({ case: kind }) => kind === "finished");
    expect(end?.value).toMatchObject({
      providerMetadataJson: JSON.stringify({ message: "Blocked.", content_filter_result: result }),
    });
  });

  it("adds them to the metadata of a choice that has begun", async () => {
    const result = { hate: { filtered: true } };
    const innererror = { code: "ResponsibleAIPolicyViolation", content_filter_result: result };
    const first = { choices: [{ index: 0, delta: { content: "Hi" }, content_filter_offsets: { start: 1 } }] };
    const error = { error: { message: "Blocked.", code: "content_filter", innererror } };
    const body = [first, error].map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
    const headers = { "content-type": "text/event-stream" };
    await using upstream = await startReplayUpstream({ headers, steps: [{ write: body }] });
    const provider = configured("azure-openai", upstream.baseUrl);
    const { events, error: failure } = await collect(streamFrom(provider, request(), model()).events);
    await provider.close?.();
    expect(failure).toBeUndefined();
    const end = events.find(({ case: kind }) => kind === "finished");
    const { providerMetadataJson = "" } = end?.case === "finished" ? end.value : {};
    expect(JSON.parse(providerMetadataJson)).toEqual({
      ...{ message: "Blocked.", content_filter_result: result },
      content_filter_offsets: { start: 1 },
    });
  });
});

import { create, type JsonObject } from "@bufbuild/protobuf";
import { Secret } from "../../../src/config/secret.ts";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { createGeminiAdapter } from "../../../src/providers/gemini/index.ts";
import { ask } from "../../support/requests.ts";
import type { Dialect, ErrorCase } from "../dialect.ts";

const model = create(ModelSchema, {
  id: "gemini/gemini-3.8-flash",
  provider: "gemini",
  providerModel: "gemini-3.8-flash",
});

/** A stream as Google sends it: data only, lines that end with CRLF, no [DONE]. */
function sse(...chunks: readonly unknown[]): string {
  return chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join("");
}

/** A chunk with parts of one candidate. */
function chunk(parts: readonly unknown[], finishReason?: string, more: object = {}): object {
  return {
    candidates: [{ content: { parts, role: "model" }, ...(finishReason && { finishReason }), index: 0 }],
    modelVersion: "gemini-3.8-flash",
    responseId: "r1",
    ...more,
  };
}

const text = (value: string) => ({ kind: { case: "text" as const, value } });
const toolCall = (id: string, name: string, argumentsJson: string) => ({
  kind: { case: "toolCall" as const, value: { id, name, argumentsJson } },
});
const reasoning = (value: string) => ({ kind: { case: "reasoning" as const, value: { text: value } } });
const signed = (signature: string) => ({
  providerState: { provider: "gemini", model: "gemini-3.8-flash", data: Buffer.from(signature) },
});
const said = (
  parts: readonly object[],
  finishReason = FinishReason.STOP,
  providerFinishReason = "STOP",
  more: object = {},
) => ({ message: { role: Role.ASSISTANT, parts: [...parts] }, finishReason, providerFinishReason, ...more });

function error(status: number, code: string, message: string, details: readonly object[] = []): JsonObject {
  return JSON.parse(JSON.stringify({ error: { code: status, message, status: code, details } }));
}

const errorInfo = (reason: string) => ({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason });
const quota = (quotaId: string) => ({
  "@type": "type.googleapis.com/google.rpc.QuotaFailure",
  violations: [{ quotaId }],
});
const retry = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.4s" };

/** The error table of Google's services, which the Gemini API and Vertex AI share. */
const errors: readonly ErrorCase[] = [
  {
    name: "400 INVALID_ARGUMENT",
    status: 400,
    body: error(400, "INVALID_ARGUMENT", "Invalid value at 'generation_config'."),
    reason: "INVALID_REQUEST",
    code: "INVALID_ARGUMENT",
  },
  {
    name: "400 with a bad key",
    status: 400,
    body: error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [
      errorInfo("API_KEY_INVALID"),
    ]),
    reason: "PROVIDER_CREDENTIALS_REJECTED",
    code: "API_KEY_INVALID",
  },
  {
    name: "400 FAILED_PRECONDITION, a region without a free tier",
    status: 400,
    body: error(400, "FAILED_PRECONDITION", "Please enable billing on your project."),
    reason: "PROVIDER_QUOTA_EXHAUSTED",
    code: "FAILED_PRECONDITION",
  },
  {
    name: "401 UNAUTHENTICATED",
    status: 401,
    body: error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
    reason: "PROVIDER_CREDENTIALS_REJECTED",
    code: "UNAUTHENTICATED",
  },
  {
    name: "403 PERMISSION_DENIED",
    status: 403,
    body: error(403, "PERMISSION_DENIED", "The caller does not have permission."),
    reason: "PROVIDER_PERMISSION_DENIED",
    code: "PERMISSION_DENIED",
  },
  {
    name: "404 NOT_FOUND",
    status: 404,
    body: error(404, "NOT_FOUND", "models/gemini-9 is not found for API version v1beta."),
    reason: "MODEL_NOT_FOUND",
    code: "NOT_FOUND",
  },
  {
    name: "429 with a hint in its body",
    status: 429,
    body: error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", [
      quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"),
      retry,
    ]),
    reason: "PROVIDER_RATE_LIMITED",
    code: "RESOURCE_EXHAUSTED",
    retryAfterMs: 34_400,
  },
  {
    name: "429 of a quota for the day",
    status: 429,
    body: error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", [
      quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
      retry,
    ]),
    reason: "PROVIDER_QUOTA_EXHAUSTED",
  },
  {
    name: "499 CANCELLED",
    status: 499,
    body: error(499, "CANCELLED", "The operation was cancelled."),
    reason: "PROVIDER_UNAVAILABLE",
  },
  {
    name: "500 INTERNAL",
    status: 500,
    body: error(500, "INTERNAL", "An internal error has occurred."),
    reason: "PROVIDER_UNAVAILABLE",
    code: "INTERNAL",
  },
  {
    name: "503 UNAVAILABLE",
    status: 503,
    headers: { "retry-after": "2" },
    body: error(503, "UNAVAILABLE", "The model is overloaded."),
    reason: "PROVIDER_UNAVAILABLE",
    code: "UNAVAILABLE",
    retryAfterMs: 2_000,
  },
  {
    name: "504 DEADLINE_EXCEEDED",
    status: 504,
    body: error(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    reason: "PROVIDER_TIMEOUT",
    code: "DEADLINE_EXCEEDED",
  },
  {
    name: "an error as a list, as the method sends it without alt=sse",
    status: 429,
    body: JSON.stringify([error(429, "RESOURCE_EXHAUSTED", "Slow down.")]),
    reason: "PROVIDER_RATE_LIMITED",
    code: "RESOURCE_EXHAUSTED",
  },
  { name: "502 of a proxy", status: 502, body: "<html>Bad Gateway</html>", reason: "PROVIDER_UNAVAILABLE" },
];

const begun = chunk([{ text: "Hello" }]);

const usage = (input: number, output: number, parts: object = {}) => ({
  inputTokens: input,
  outputTokens: output,
  totalTokens: input + output,
  quality: UsageQuality.EXACT,
  ...parts,
});

export const geminiDialect: Dialect = {
  name: "gemini",
  provenance:
    "types and stream reader of @google/genai 3.1.0, ai.google.dev/api/generate-content, fixtures of @ai-sdk/google 4.0.121",
  model,
  create: (baseUrl) =>
    createGeminiAdapter({
      name: "gemini",
      baseUrl,
      apiKey: new Secret("AIza-test"),
      headers: {},
      timeouts: { connectMs: 5_000, firstEventMs: 10_000, idleMs: 10_000 },
      maxConnections: 4,
      options: {},
    }),

  answers: {
    "plain text": {
      wire: sse(
        chunk([{ text: "Hello" }], undefined, { usageMetadata: { promptTokenCount: 5, totalTokenCount: 5 } }),
        chunk([{ text: " there." }], "STOP", {
          usageMetadata: {
            promptTokenCount: 5,
            candidatesTokenCount: 3,
            totalTokenCount: 50,
            thoughtsTokenCount: 42,
          },
        }),
      ),
      completion: { choices: [said([text("Hello there.")])], usage: usage(5, 45, { reasoningTokens: 42 }) },
    },
    "empty text": { wire: sse(chunk([{ text: "" }], "STOP")), completion: { choices: [said([])] } },
    "two parallel tool calls with interleaved fragments": {
      // Calls come whole, with a signature only on the first; STOP comes in a chunk of its own.
      wire: sse(
        chunk([
          { functionCall: { id: "a1", name: "weather", args: { city: "Oslo", at: 1 } }, thoughtSignature: "EqUC" },
          { functionCall: { id: "b2", name: "weather", args: { city: "Rome" } } },
        ]),
        chunk([{ text: "" }], "STOP"),
      ),
      completion: {
        choices: [
          said(
            [
              { ...toolCall("a1", "weather", '{"city":"Oslo","at":1}'), ...signed("EqUC") },
              toolCall("b2", "weather", '{"city":"Rome"}'),
            ],
            FinishReason.TOOL_CALLS,
          ),
        ],
      },
    },
    "a tool call without arguments": {
      wire: sse(chunk([{ functionCall: { id: "a1", name: "now" } }], "STOP")),
      completion: { choices: [said([toolCall("a1", "now", "{}")], FinishReason.TOOL_CALLS)] },
    },
    "reasoning, then text": {
      request: { reasoning: { format: ReasoningFormat.PARSED } },
      wire: sse(
        chunk([{ text: "**Counting** ", thought: true }]),
        chunk([{ text: "them.", thought: true }]),
        chunk([{ text: "Three." }], "STOP"),
      ),
      completion: { choices: [said([reasoning("**Counting** them."), text("Three.")])] },
    },
    "reasoning with a signature": {
      // In a text the signature comes in a last part without text; it is joined to no other part.
      request: { reasoning: { format: ReasoningFormat.PARSED } },
      wire: sse(
        chunk([{ text: "**Counting** ...", thought: true }]),
        chunk([{ text: "Three." }]),
        chunk([{ text: "", thoughtSignature: "EqsF" }], "STOP"),
      ),
      completion: {
        choices: [said([reasoning("**Counting** ..."), text("Three."), { ...text(""), ...signed("EqsF") }])],
      },
    },
    "redacted reasoning": { why: "thoughts are told or not, and never withheld one by one" },
    "a refusal": { why: "the model refuses in plain text" },
    "a content filter": {
      wire: sse(begun, { candidates: [{ finishReason: "SAFETY", index: 0, safetyRatings: [{ blocked: true }] }] }),
      completion: { choices: [said([text("Hello")], FinishReason.CONTENT_FILTER, "SAFETY")] },
    },
    "a length stop": {
      // The limit was reached while thinking: a content without parts.
      wire: sse({ candidates: [{ content: { role: "model" }, finishReason: "MAX_TOKENS", index: 0 }] }),
      completion: { choices: [said([], FinishReason.LENGTH, "MAX_TOKENS")] },
    },
    "a matched stop sequence": { why: "the API does not tell which stop sequence matched" },
    "usage in the last chunk": {
      wire: sse(chunk([{ text: "Hi" }], "STOP"), {
        usageMetadata: { promptTokenCount: 2, candidatesTokenCount: 1, totalTokenCount: 3 },
      }),
      completion: { choices: [said([text("Hi")])], usage: usage(2, 1) },
    },
    "usage on the finish chunk": {
      wire: sse(
        chunk([{ text: "Hi" }], "STOP", {
          usageMetadata: { promptTokenCount: 2, candidatesTokenCount: 1, totalTokenCount: 3 },
        }),
      ),
      completion: { choices: [said([text("Hi")])], usage: usage(2, 1) },
    },
    "usage split over two events": {
      wire: sse(
        chunk([{ text: "Hi" }], undefined, { usageMetadata: { promptTokenCount: 2, trafficType: "ON_DEMAND" } }),
        chunk([], "STOP", { usageMetadata: { candidatesTokenCount: 4, trafficType: "ON_DEMAND" } }),
      ),
      completion: { choices: [said([text("Hi")])], usage: usage(2, 4) },
    },
    "no usage": {
      wire: sse(chunk([{ text: "Hi" }], "STOP")),
      completion: { choices: [said([text("Hi")])], usage: undefined },
    },
    "cached, cache-write and reasoning tokens": {
      // Thoughts and what Google's own tools read are counted beside the rest; writes to the cache are not told.
      wire: sse(
        chunk([{ text: "Hi" }], "STOP", {
          usageMetadata: {
            promptTokenCount: 100,
            cachedContentTokenCount: 64,
            toolUsePromptTokenCount: 10,
            candidatesTokenCount: 7,
            thoughtsTokenCount: 13,
            totalTokenCount: 130,
          },
        }),
      ),
      completion: {
        choices: [said([text("Hi")])],
        usage: usage(110, 20, { cachedInputTokens: 64, reasoningTokens: 13 }),
      },
    },
    "log probabilities": {
      request: { parameters: { logprobs: true, topLogprobs: 2 } },
      wire: sse({
        candidates: [
          {
            content: { role: "model", parts: [{ text: "Hi" }] },
            finishReason: "STOP",
            index: 0,
            avgLogprobs: -0.1,
            logprobsResult: {
              chosenCandidates: [{ token: "Hi", tokenId: 7, logProbability: -0.1 }],
              topCandidates: [
                {
                  candidates: [
                    { token: "Hi", tokenId: 7, logProbability: -0.1 },
                    { token: "Hey", tokenId: 8, logProbability: -2.5 },
                  ],
                },
              ],
            },
          },
        ],
      }),
      completion: {
        choices: [
          said([text("Hi")], FinishReason.STOP, "STOP", {
            logprobs: {
              tokens: [
                {
                  token: "Hi",
                  logprob: -0.1,
                  topLogprobs: [
                    { token: "Hi", logprob: -0.1 },
                    { token: "Hey", logprob: -2.5 },
                  ],
                },
              ],
            },
          }),
        ],
      },
    },
    "two choices": { why: "few models take candidateCount, so each choice is a call of its own" },
    "an unknown event and unknown fields": {
      wire: `event: weather\r\ndata: {"somethingNew":true}\r\n\r\n${sse(
        chunk([{ text: "Hi", partMetadata: { a: 1 } }], undefined, { modelStatus: { stage: "STABLE" } }),
        chunk([], "STOP", { automaticFunctionCallingHistory: [] }),
      )}`,
      completion: { choices: [said([text("Hi")])] },
    },
    "an unknown finish reason": {
      wire: sse(chunk([{ text: "Hi" }], "TOO_SLEEPY")),
      completion: { choices: [said([text("Hi")], FinishReason.OTHER, "TOO_SLEEPY")] },
    },
    "pings and comments": {
      wire: `: ping\r\n\r\n${sse(begun)}: ping\r\n\r\n\r\n${sse(chunk([{ text: "!" }], "STOP"))}`,
      completion: { choices: [said([text("Hello!")])] },
    },
  },

  errors,

  failures: [
    {
      name: "an error event",
      wire: sse(begun, error(503, "UNAVAILABLE", "The model is overloaded.")),
      reason: "PROVIDER_STREAM_INTERRUPTED",
    },
    {
      name: "an error event without a code",
      wire: sse(begun, { error: { code: null, message: "Overloaded.", status: "UNAVAILABLE" } }),
      reason: "PROVIDER_STREAM_INTERRUPTED",
    },
    {
      name: "an error as bare JSON between the events",
      wire: `${sse(begun)}${JSON.stringify(error(503, "UNAVAILABLE", "Overloaded."), undefined, 2)}`,
      reason: "PROVIDER_STREAM_INTERRUPTED",
    },
    { name: "an end without a finish reason", wire: sse(begun), reason: "PROVIDER_STREAM_INTERRUPTED" },
    {
      name: "an end where one of two candidates has no finish reason",
      wire: sse(chunk([{ text: "Hi" }], "STOP"), { candidates: [{ content: { parts: [{ text: "Ho" }] }, index: 1 }] }),
      reason: "PROVIDER_STREAM_INTERRUPTED",
    },
    {
      name: "a chunk that is not JSON",
      wire: `${sse(begun)}data: {"candi\r\n\r\n`,
      reason: "PROVIDER_STREAM_INTERRUPTED",
    },
    {
      name: "a call that the provider could not read",
      wire: sse(begun, { candidates: [{ content: {}, finishReason: "MALFORMED_FUNCTION_CALL", index: 0 }] }),
      reason: "PROVIDER_STREAM_INTERRUPTED",
    },
    {
      name: "arguments in pieces, which nobody asked for",
      wire: sse(begun, chunk([{ functionCall: { name: "weather", partialArgs: [{ jsonPath: "$.city" }] } }])),
      reason: "PROVIDER_STREAM_INTERRUPTED",
    },
  ],

  replay: {
    wire: sse(
      chunk([{ text: "I look it up.", thought: true }]),
      chunk([
        { functionCall: { name: "weather", args: { city: "Oslo", at: { hour: 7 } } }, thoughtSignature: "EqUC+/=" },
        { functionCall: { name: "time", args: {} } },
      ]),
      chunk([{ text: "" }], "STOP"),
    ),
    results: { weather: "rain", time: "noon" },
    field: "contents",
    sent: [
      { role: "user", parts: [{ text: "hello" }] },
      {
        role: "model",
        parts: [
          { text: "I look it up.", thought: true },
          { functionCall: { name: "weather", args: { city: "Oslo", at: { hour: 7 } } }, thoughtSignature: "EqUC+/=" },
          { functionCall: { name: "time", args: {} } },
        ],
      },
      {
        role: "user",
        parts: [
          { functionResponse: { name: "weather", response: { output: "rain" } } },
          { functionResponse: { name: "time", response: { output: "noon" } } },
        ],
      },
    ],
  },

  everything: {
    request: create(ChatRequestSchema, {
      model: model.id,
      messages: [
        { role: Role.SYSTEM, parts: [text("Be brief.")] },
        { role: Role.DEVELOPER, parts: [text("Be kind.")] },
        {
          role: Role.USER,
          parts: [
            text("What is this?"),
            {
              kind: {
                case: "media",
                value: { source: { case: "data", value: Uint8Array.of(1, 2, 3) }, mediaType: "image/png" },
              },
            },
            {
              kind: {
                case: "media",
                value: { source: { case: "url", value: "https://a.example/b.pdf" }, mediaType: "application/pdf" },
              },
            },
          ],
        },
        {
          role: Role.ASSISTANT,
          parts: [text("I look."), { ...toolCall("x9", "look", '{"b":1,"a":2}'), ...signed("Sig") }],
        },
        {
          role: Role.TOOL,
          parts: [
            {
              kind: {
                case: "toolResult",
                value: { toolCallId: "x9", parts: [{ kind: { case: "text", value: "too dark" } }], isError: true },
              },
            },
          ],
        },
      ],
      parameters: {
        temperature: 0.7,
        topP: 0.9,
        topK: 40,
        maxOutputTokens: 100,
        stopSequences: ["END"],
        seed: "-42",
        presencePenalty: 0.5,
        frequencyPenalty: -0.5,
        logprobs: true,
        topLogprobs: 3,
      },
      tools: [
        {
          name: "look",
          description: "Looks.",
          parametersJsonSchema: '{"type":"object","properties":{"b":{"type":"integer"}}}',
          strict: true,
        },
        { name: "wait" },
      ],
      toolChoice: { choice: { case: "mode", value: ToolChoiceMode.AUTO } },
      outputFormat: {
        format: {
          case: "jsonSchema",
          value: { name: "answer", description: "The answer.", schemaJson: '{"type":"object","properties":{}}' },
        },
      },
      reasoning: { control: { case: "effort", value: ReasoningEffort.LOW } },
      serviceTier: "flex",
      providerOptions: {
        gemini: {
          safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }],
          generationConfig: { mediaResolution: "MEDIA_RESOLUTION_LOW" },
          tools: [{ googleSearch: {} }],
        },
      },
    }),
    sent: {
      systemInstruction: { parts: [{ text: "Be brief." }, { text: "Be kind." }] },
      contents: [
        {
          role: "user",
          parts: [
            { text: "What is this?" },
            { inlineData: { mimeType: "image/png", data: "AQID" } },
            { fileData: { fileUri: "https://a.example/b.pdf", mimeType: "application/pdf" } },
          ],
        },
        {
          role: "model",
          parts: [
            { text: "I look." },
            { functionCall: { id: "x9", name: "look", args: { b: 1, a: 2 } }, thoughtSignature: "Sig" },
          ],
        },
        { role: "user", parts: [{ functionResponse: { id: "x9", name: "look", response: { error: "too dark" } } }] },
      ],
      tools: [
        {
          functionDeclarations: [
            {
              name: "look",
              description: "Looks.",
              parametersJsonSchema: { type: "object", properties: { b: { type: "integer" } } },
            },
            { name: "wait" },
          ],
        },
        { googleSearch: {} },
      ],
      toolConfig: { functionCallingConfig: { mode: "VALIDATED" } },
      generationConfig: {
        temperature: 0.7,
        topP: 0.9,
        topK: 40,
        maxOutputTokens: 100,
        stopSequences: ["END"],
        seed: -42,
        presencePenalty: 0.5,
        frequencyPenalty: -0.5,
        responseLogprobs: true,
        logprobs: 3,
        responseMimeType: "application/json",
        responseJsonSchema: { description: "The answer.", type: "object", properties: {} },
        thinkingConfig: { thinkingLevel: "LOW", includeThoughts: true },
        mediaResolution: "MEDIA_RESOLUTION_LOW",
      },
      serviceTier: "flex",
      safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }],
    },
  },

  limited: [
    {
      name: "fields that the API does not have",
      request: ask(model.id, "hello", {
        parameters: {
          minP: 0.1,
          minOutputTokens: 5,
          repetitionPenalty: 1.1,
          logitBias: { "1": 2 },
          seed: "9007199254740993",
        },
        tools: [{ name: "look" }],
        parallelToolCalls: false,
        prediction: { content: "x" },
        promptCacheKey: "k",
        user: "u",
        chatTemplateKwargs: { a: 1 },
      }),
      limitations: [
        { kind: "UNSUPPORTED_PARAMETER", field: "parameters.min_p" },
        { kind: "UNSUPPORTED_PARAMETER", field: "parameters.min_output_tokens" },
        { kind: "UNSUPPORTED_PARAMETER", field: "parameters.repetition_penalty" },
        { kind: "UNSUPPORTED_PARAMETER", field: "parameters.logit_bias" },
        { kind: "UNSUPPORTED_PARAMETER", field: "parallel_tool_calls" },
        { kind: "UNSUPPORTED_PARAMETER", field: "prediction" },
        { kind: "UNSUPPORTED_PARAMETER", field: "prompt_cache_key" },
        { kind: "UNSUPPORTED_PARAMETER", field: "user" },
        { kind: "UNSUPPORTED_PARAMETER", field: "chat_template_kwargs" },
        { kind: "UNSUPPORTED_PARAMETER", field: "parameters.seed" },
      ],
    },
    {
      name: "values that ask for nothing are no limitation",
      request: ask(model.id, "hello", {
        parameters: { minP: 0, topK: -1, n: 1, repetitionPenalty: 1, minOutputTokens: 0, seed: "-2147483648" },
        parallelToolCalls: false,
      }),
      limitations: [],
    },
    {
      name: "what cannot be left out",
      request: ask(model.id, "hello", {
        parameters: { stopSequences: ["1", "2", "3", "4", "5", "6"] },
        tools: [{ name: "2fa" }],
        outputFormat: { format: { case: "regex", value: { pattern: "a+" } } },
        chatTemplate: "{{ x }}",
      }),
      limitations: [
        { kind: "REFUSED", field: "chat_template" },
        { kind: "REFUSED", field: "parameters.stop_sequences" },
        { kind: "REFUSED", field: "output_format.regex" },
        { kind: "REFUSED", field: "tools[0].name" },
      ],
    },
    {
      name: "an effort that the model does not take",
      request: ask(model.id, "hello", { reasoning: { control: { case: "effort", value: ReasoningEffort.NONE } } }),
      limitations: [{ kind: "REFUSED", field: "reasoning.effort" }],
    },
    {
      name: "a budget where the model takes an effort, and thoughts inside the text",
      request: ask(model.id, "hello", {
        reasoning: { control: { case: "budgetTokens", value: 512 }, format: ReasoningFormat.RAW },
      }),
      limitations: [
        { kind: "UNSUPPORTED_PARAMETER", field: "reasoning.budget_tokens" },
        { kind: "UNSUPPORTED_PARAMETER", field: "reasoning.format" },
      ],
    },
    {
      name: "an address that only Vertex AI fetches",
      request: create(ChatRequestSchema, {
        model: model.id,
        messages: [
          {
            role: Role.USER,
            parts: [{ kind: { case: "media", value: { source: { case: "url", value: "gs://bucket/a.png" } } } }],
          },
        ],
      }),
      limitations: [{ kind: "REFUSED", field: "messages[0].parts[0].media" }],
    },
    {
      name: "a call of another model, which has no signature",
      request: create(ChatRequestSchema, {
        model: model.id,
        messages: [
          { role: Role.USER, parts: [text("hello")] },
          { role: Role.ASSISTANT, parts: [toolCall("a", "look", "{}")] },
        ],
      }),
      limitations: [{ kind: "EMULATED", field: "messages" }],
    },
  ],
};

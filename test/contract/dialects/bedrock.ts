import { create } from "@bufbuild/protobuf";
import { Secret } from "../../../src/config/secret.ts";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { MediaDetail } from "../../../src/gen/dragoman/v1/media_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ReasoningEffort } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { createBedrockAdapter } from "../../../src/providers/bedrock/adapter.ts";
import { bedrockModels } from "../../../src/providers/bedrock/models.ts";
import { errorFrame, eventFrame, exceptionFrame } from "../../support/event-stream.ts";
import { ask } from "../../support/requests.ts";
import { functionTool } from "../../support/tools.ts";
import type { AnswerCase, Dialect } from "../dialect.ts";
import { bedrockContent } from "../fixtures/bedrock-content.ts";
import { answer, blockStop, delta, input, metadata, reasoning, stop, text, toolUse } from "../fixtures/bedrock-wire.ts";
import { bedrockConversation } from "../fixtures/conversations.ts";

const modelId = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const [model] = bedrockModels.filter(({ providerModel }) => providerModel === modelId);
if (model === undefined) throw new Error(`the catalog lacks ${modelId}`);

type Parts = NonNullable<NonNullable<NonNullable<AnswerCase["completion"]["choices"]>[number]["message"]>["parts"]>;

const textPart = (value: string) => ({ kind: { case: "text" as const, value } });
const callPart = (id: string, name: string, argumentsJson: string) => ({
  kind: { case: "toolCall" as const, value: { id, name, argumentsJson } },
});
const state = (data: string | Buffer) => ({ provider: "bedrock", model: modelId, data: Buffer.from(data) });

const said = (finishReason: FinishReason, word: string, ...parts: Parts) => ({
  choices: [{ message: { role: Role.ASSISTANT, parts }, finishReason, providerFinishReason: word }],
});
const { STOP, LENGTH, TOOL_CALLS, CONTENT_FILTER, OTHER } = FinishReason;
const hi = said(STOP, "end_turn", textPart("Hi"));
const usage = { inputTokens: 12, outputTokens: 3, totalTokens: 15, quality: UsageQuality.EXACT };

const weatherSchema = '{"type":"object","properties":{"city":{"type":"string"},"at":{"type":"string"}}}';
const image = { source: { case: "data" as const, value: Buffer.from("png") }, mediaType: "image/png" };

const everything = create(ChatRequestSchema, {
  model: model.id,
  messages: [
    { role: Role.SYSTEM, parts: [{ ...textPart("Be brief."), cacheHint: {} }] },
    { role: Role.DEVELOPER, parts: [textPart("Be kind.")] },
    {
      role: Role.USER,
      parts: [
        textPart("What is this?"),
        textPart(""),
        { kind: { case: "media", value: image }, cacheHint: { ttl: { seconds: 60n } } },
        {
          kind: {
            case: "media",
            value: {
              source: { case: "data", value: Buffer.from("%PDF") },
              mediaType: "application/pdf",
              filename: "Q3 report_v1.2 (final).pdf",
            },
          },
        },
      ],
    },
    {
      role: Role.ASSISTANT,
      parts: [
        { kind: { case: "reasoning", value: { text: "Hm." } }, providerState: state("c2ln") },
        { kind: { case: "reasoning", value: { redacted: true } }, providerState: state(Buffer.from([1, 2, 250])) },
        { kind: { case: "reasoning", value: { text: "unsigned" } } },
        textPart("Let me see."),
        callPart("tooluse_a", "weather", '{"city":"Oslo","at":"noon"}'),
        callPart("tooluse_b", "clock", ""),
      ],
    },
    {
      role: Role.TOOL,
      parts: [
        {
          kind: {
            case: "toolResult",
            value: {
              toolCallId: "tooluse_a",
              parts: [{ kind: { case: "text", value: "sunny" } }, { kind: { case: "media", value: image } }],
            },
          },
        },
        { kind: { case: "toolResult", value: { toolCallId: "tooluse_b", isError: true } } },
      ],
    },
    { role: Role.USER, parts: [textPart("Go on.")] },
  ],
  parameters: { maxOutputTokens: 9000, stopSequences: ["END"] },
  tools: [
    functionTool({
      name: "weather",
      description: "Tells the weather.",
      parametersJsonSchema: weatherSchema,
      strict: true,
    }),
    functionTool({ name: "clock", cacheHint: { ttl: { seconds: 3600n } } }),
  ],
  toolChoice: { choice: { case: "mode", value: ToolChoiceMode.AUTO } },
  parallelToolCalls: false,
  outputFormat: {
    format: {
      case: "jsonSchema",
      value: { name: "answer", description: "The answer.", schemaJson: '{"type":"object"}' },
    },
  },
  reasoning: { control: { case: "budgetTokens", value: 2000 } },
  serviceTier: "priority",
  providerOptions: {
    bedrock: { requestMetadata: { team: "a" }, additionalModelRequestFields: { anthropic_beta: ["x"] } },
    other: { ignored: true },
  },
});

const sent = {
  inferenceConfig: { maxTokens: 9000, stopSequences: ["END"] },
  toolConfig: {
    tools: [
      {
        toolSpec: {
          name: "weather",
          description: "Tells the weather.",
          inputSchema: {
            json: { type: "object", properties: { city: { type: "string" }, at: { type: "string" } } },
          },
          strict: true,
        },
      },
      { toolSpec: { name: "clock", inputSchema: { json: { type: "object", properties: {} } } } },
      { cachePoint: { type: "default", ttl: "1h" } },
    ],
  },
  outputConfig: {
    textFormat: {
      type: "json_schema",
      // The schema is JSON text here, but an object in tools.
      structure: { jsonSchema: { schema: '{"type":"object"}', name: "answer", description: "The answer." } },
    },
  },
  serviceTier: { type: "priority" },
  additionalModelResponseFieldPaths: ["/delta/stop_sequence"],
  requestMetadata: { team: "a" },
  additionalModelRequestFields: {
    thinking: { type: "enabled", budget_tokens: 2000 },
    tool_choice: { type: "auto", disable_parallel_tool_use: true },
    anthropic_beta: ["x"],
  },
  system: [{ text: "Be brief." }, { cachePoint: { type: "default" } }, { text: "Be kind." }],
  messages: [
    {
      role: "user",
      content: [
        { text: "What is this?" },
        { image: { format: "png", source: { bytes: "cG5n" } } },
        { cachePoint: { type: "default", ttl: "5m" } },
        { document: { format: "pdf", name: "Q3 report v1 2 (final)", source: { bytes: "JVBERg==" } } },
      ],
    },
    {
      role: "assistant",
      content: [
        { reasoningContent: { reasoningText: { text: "Hm.", signature: "c2ln" } } },
        { reasoningContent: { redactedContent: "AQL6" } },
        { text: "Let me see." },
        { toolUse: { toolUseId: "tooluse_a", name: "weather", input: { city: "Oslo", at: "noon" } } },
        { toolUse: { toolUseId: "tooluse_b", name: "clock", input: {} } },
      ],
    },
    {
      role: "user",
      content: [
        {
          toolResult: {
            toolUseId: "tooluse_a",
            content: [{ text: "sunny" }, { image: { format: "png", source: { bytes: "cG5n" } } }],
          },
        },
        { toolResult: { toolUseId: "tooluse_b", content: [], status: "error" } },
        { text: "Go on." },
      ],
    },
  ],
};

function asked(more: Parameters<typeof ask>[2]): ChatRequest {
  return ask(model?.id ?? "", "hello", more);
}

function withMedia(media: object): ChatRequest {
  return asked({ messages: [{ role: Role.USER, parts: [{ kind: { case: "media", value: media } }] }] });
}

const errorCase = (status: number, type: string, reason: Dialect["errors"][number]["reason"], code = type) => ({
  name: `${status} ${type}`,
  status,
  headers: { "x-amzn-errortype": type },
  body: { message: "no" },
  reason,
  code,
});

export const dialects: readonly Dialect[] = [
  {
    name: "bedrock",
    provenance:
      "the types of @aws-sdk/client-bedrock-runtime 3.1162.0; the order of frames as recorded in the fixtures of vercel/ai; frames encoded by @smithy/eventstream-codec 4.5.2",
    model,
    reader: "bedrock",
    conversation: bedrockConversation,
    stops: { field: "inferenceConfig.stopSequences", rejectsBlank: true },
    whole: { why: "the adapter has no `complete`: it always streams" },
    create: (baseUrl) =>
      createBedrockAdapter({
        name: "bedrock",
        dialect: "bedrock",
        baseUrl,
        apiKey: new Secret("bedrock-key"),
        keys: [],
        headers: {},
        timeouts: { connectMs: 5_000, firstEventMs: 30_000, idleMs: 30_000 },
        maxConnections: 4,
        maxQueue: 16,
        options: { region: "us-east-1" },
        variables: {},
      }),
    headers: { "content-type": "application/vnd.amazon.eventstream" },
    usage: {
      wire: (...usages) => answer(text(0, "Hi"), ...usages.map((usage) => metadata(usage)), stop("end_turn")),
      names: {
        input: ["inputTokens"],
        output: ["outputTokens"],
        total: ["totalTokens"],
        cached: ["cacheReadInputTokens", "cacheReadInputTokenCount"],
        written: ["cacheWriteInputTokens", "cacheWriteInputTokenCount"],
        written1h: ["cacheDetails[ttl=1h].inputTokens"],
      },
      excludesCache: true,
    },
    answers: {
      "plain text": {
        wire: answer(text(0, "H"), text(0, "i"), blockStop(0), stop("end_turn"), metadata()),
        completion: { ...hi, usage },
      },
      "empty text": {
        wire: answer(text(0, ""), blockStop(0), stop("end_turn"), metadata()),
        completion: said(STOP, "end_turn"),
      },
      "two parallel tool calls with interleaved deltas": {
        wire: answer(
          text(0, "I look."),
          blockStop(0),
          toolUse(1, "tooluse_a", "weather"),
          toolUse(2, "tooluse_b", "weather"),
          input(1, '{"city":'),
          input(2, '{"city": "Ro'),
          input(1, '"Oslo"}'),
          blockStop(1),
          input(2, 'me"}'),
          blockStop(2),
          stop("tool_use"),
          metadata(),
        ),
        completion: said(
          TOOL_CALLS,
          "tool_use",
          textPart("I look."),
          callPart("tooluse_a", "weather", '{"city":"Oslo"}'),
          callPart("tooluse_b", "weather", '{"city": "Rome"}'),
        ),
      },
      "a tool call without arguments": {
        wire: answer(
          toolUse(0, "tooluse_a", "clock"),
          input(0, ""),
          blockStop(0),
          toolUse(1, "tooluse_b", "clock"),
          blockStop(1),
          stop("tool_use"),
          metadata(),
        ),
        completion: said(
          TOOL_CALLS,
          "tool_use",
          callPart("tooluse_a", "clock", "{}"),
          callPart("tooluse_b", "clock", "{}"),
        ),
      },
      "two tool calls with one id": {
        wire: answer(
          toolUse(0, "tooluse_a", "look"),
          input(0, '{"a":1}'),
          blockStop(0),
          toolUse(1, "tooluse_a", "look"),
          input(1, '{"b":2}'),
          blockStop(1),
          stop("tool_use"),
          metadata(),
        ),
        completion: {
          ...said(
            TOOL_CALLS,
            "tool_use",
            callPart("tooluse_a", "look", '{"a":1}'),
            callPart("tooluse_a_2", "look", '{"b":2}'),
          ),
          warnings: [{ reason: "INFERRED" }],
        },
      },
      "an empty object before the arguments": {
        wire: answer(
          toolUse(0, "tooluse_a", "look"),
          input(0, "{}"),
          input(0, '{"x":'),
          input(0, '"1"}'),
          blockStop(0),
          stop("tool_use"),
          metadata(),
        ),
        completion: said(TOOL_CALLS, "tool_use", callPart("tooluse_a", "look", '{"x":"1"}')),
      },
      "halves of a character in two deltas": {
        wire: answer(
          text(0, "ok \ud83d"),
          text(0, "\ude00! \ud83d"),
          blockStop(0),
          toolUse(1, "tooluse_a", "look"),
          input(1, '{"x":"\ud83d'),
          input(1, '\ude00"}'),
          blockStop(1),
          stop("tool_use"),
          metadata(),
        ),
        completion: said(
          TOOL_CALLS,
          "tool_use",
          textPart("ok 😀! \ufffd"),
          callPart("tooluse_a", "look", '{"x":"😀"}'),
        ),
      },
      "reasoning, then text": {
        wire: answer(
          reasoning(0, { text: "925 " }),
          reasoning(0, { text: "/ 5" }),
          blockStop(0),
          text(1, "185"),
          stop("end_turn"),
          metadata(),
        ),
        completion: said(
          STOP,
          "end_turn",
          { kind: { case: "reasoning", value: { text: "925 / 5" } } },
          textPart("185"),
        ),
      },
      "reasoning with a signature": {
        wire: answer(
          reasoning(0, { text: "925 / 5" }),
          reasoning(0, { signature: "EvQB" }),
          reasoning(0, { signature: "Ck==" }),
          blockStop(0),
          text(1, "185"),
          stop("end_turn"),
          metadata(),
        ),
        completion: said(
          STOP,
          "end_turn",
          { kind: { case: "reasoning", value: { text: "925 / 5" } }, providerState: state("EvQBCk==") },
          textPart("185"),
        ),
      },
      "redacted reasoning": {
        wire: answer(
          reasoning(0, { redactedContent: Buffer.from([0, 255, 1]).toString("base64") }),
          reasoning(0, { redactedContent: Buffer.from([7]).toString("base64") }),
          blockStop(0),
          text(1, "185"),
          stop("end_turn"),
          metadata(),
        ),
        completion: said(
          STOP,
          "end_turn",
          {
            kind: { case: "reasoning", value: { redacted: true } },
            providerState: state(Buffer.from([0, 255, 1, 7])),
          },
          textPart("185"),
        ),
      },
      "a refusal": { why: "Converse returns refusals as text" },
      "a content filter": {
        wire: answer(text(0, "I"), stop("guardrail_intervened"), metadata()),
        completion: said(CONTENT_FILTER, "guardrail_intervened", textPart("I")),
      },
      "a length stop": {
        wire: answer(text(0, "Hi"), stop("model_context_window_exceeded"), metadata()),
        completion: said(LENGTH, "model_context_window_exceeded", textPart("Hi")),
      },
      "a matched stop sequence": {
        request: { parameters: { stopSequences: ["END"] } },
        wire: answer(
          text(0, "Hi"),
          stop("stop_sequence", { additionalModelResponseFields: { delta: { stop_sequence: "END" } } }),
          metadata(),
        ),
        completion: {
          choices: [
            {
              message: { role: Role.ASSISTANT, parts: [textPart("Hi")] },
              finishReason: STOP,
              providerFinishReason: "stop_sequence",
              matchedStopSequence: "END",
            },
          ],
        },
      },
      "usage in the last chunk": {
        wire: answer(text(0, "Hi"), stop("end_turn"), metadata()),
        completion: { ...hi, usage },
      },
      "usage on the finish chunk": {
        // Metadata may come before messageStop: the order is not fixed.
        wire: answer(text(0, "Hi"), metadata(), stop("end_turn")),
        completion: { ...hi, usage },
      },
      "usage split over two events": { why: "Converse sends usage in one event" },
      "no usage": {
        wire: answer(text(0, "Hi"), stop("end_turn")),
        completion: { ...hi, usage: undefined },
      },
      "cached, cache-write and reasoning tokens": {
        wire: answer(
          text(0, "Hi"),
          stop("end_turn"),
          metadata({
            inputTokens: 10,
            outputTokens: 3,
            totalTokens: 113,
            cacheReadInputTokens: 80,
            cacheWriteInputTokens: 20,
            cacheDetails: [
              { ttl: "5m", inputTokens: 12 },
              { ttl: "1h", inputTokens: 8 },
            ],
            serverToolUsage: { webSearch: 2 },
          }),
        ),
        completion: {
          ...hi,
          usage: {
            ...usage,
            inputTokens: 110,
            totalTokens: 113,
            cachedInputTokens: 80,
            cacheWriteInputTokens: 20,
            cacheWrite1hInputTokens: 8,
            serverToolRequests: { webSearch: 2 },
          },
        },
      },
      "log probabilities": { why: "Converse returns no log probabilities" },
      citations: bedrockContent.answers.citations,
      "sources without a position": { why: "Bedrock has no such list" },
      "media in the response": {
        wire: answer(
          eventFrame("contentBlockStart", { contentBlockIndex: 0, start: { image: { format: "webp" } } }),
          delta(0, { image: { source: { bytes: "AQ==" } } }),
          delta(0, { image: { source: { bytes: "Ag==" } } }),
          blockStop(0),
          stop("end_turn"),
          metadata(),
        ),
        completion: said(STOP, "end_turn", {
          kind: {
            case: "media",
            value: { source: { case: "data", value: Uint8Array.of(1, 2) }, mediaType: "image/webp" },
          },
        }),
      },
      "a tool that the provider runs": bedrockContent.answers["calls and results of the provider's tools"],
      "facts without a field": bedrockContent.answers["facts without a field"],
      "two choices": { why: "Converse returns one choice: Dragoman sends one request per choice" },
      "an unknown event and unknown fields": {
        wire: answer(
          eventFrame("somethingNew", { contentBlockIndex: 0, delta: { text: "no" } }),
          eventFrame("contentBlockStart", { contentBlockIndex: 0, start: {} }),
          delta(0, { text: "Hi", color: "red" }),
          stop("end_turn"),
          eventFrame("metadata", { usage: { inputTokens: 12, outputTokens: 3 }, metrics: 1 }),
        ),
        completion: { ...hi, usage, warnings: [{ reason: "LEFT_OUT" }, { reason: "LEFT_OUT" }] },
      },
      "an unknown finish reason": {
        wire: answer(text(0, "Hi"), stop("tired"), metadata()),
        completion: said(OTHER, "tired", textPart("Hi")),
      },
      "a missing finish reason": {
        wire: answer(text(0, "Hi"), stop(""), metadata()),
        completion: { ...said(STOP, "", textPart("Hi")), warnings: [{ reason: "INFERRED" }] },
      },
      "tool calls reported without a call": {
        wire: answer(text(0, "Hi"), stop("tool_use"), metadata()),
        completion: { ...said(STOP, "tool_use", textPart("Hi")), warnings: [{ reason: "INFERRED" }] },
      },
      "a normal end after a tool call": {
        wire: answer(toolUse(0, "tooluse_a", "look"), blockStop(0), stop("end_turn"), metadata()),
        completion: said(TOOL_CALLS, "end_turn", callPart("tooluse_a", "look", "{}")),
      },
      "pings and comments": { why: "the binary event stream has no pings or comments" },
    },
    errors: [
      errorCase(400, "ValidationException", "INVALID_REQUEST"),
      errorCase(
        400,
        "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/",
        "INVALID_REQUEST",
        "ValidationException",
      ),
      {
        ...errorCase(400, "ValidationException", "MODEL_NOT_FOUND"),
        name: "400 ValidationException, an unknown model",
        body: { message: "The provided model identifier is invalid." },
      },
      errorCase(400, "ServiceQuotaExceededException", "PROVIDER_QUOTA_EXHAUSTED"),
      errorCase(400, "IncompleteSignature", "PROVIDER_CREDENTIALS_REJECTED"),
      errorCase(400, "RequestExpired", "PROVIDER_CREDENTIALS_REJECTED"),
      errorCase(400, "InvalidAction", "PROVIDER_CREDENTIALS_REJECTED"),
      errorCase(403, "AccessDeniedException", "PROVIDER_PERMISSION_DENIED"),
      errorCase(403, "UnrecognizedClientException", "PROVIDER_CREDENTIALS_REJECTED"),
      errorCase(403, "InvalidSignatureException", "PROVIDER_CREDENTIALS_REJECTED"),
      errorCase(403, "ExpiredTokenException", "PROVIDER_CREDENTIALS_REJECTED"),
      {
        name: "403 with its type in the body",
        status: 403,
        body: { __type: "com.amazon.coral.service#ExpiredTokenException", message: "Expired." },
        reason: "PROVIDER_CREDENTIALS_REJECTED",
        code: "ExpiredTokenException",
      },
      errorCase(404, "ResourceNotFoundException", "MODEL_NOT_FOUND"),
      errorCase(408, "ModelTimeoutException", "PROVIDER_TIMEOUT"),
      errorCase(424, "ModelErrorException", "PROVIDER_FAULT"),
      errorCase(429, "ThrottlingException", "PROVIDER_RATE_LIMITED"),
      {
        name: "429 with retry-after from a proxy",
        status: 429,
        headers: { "retry-after": "2" },
        body: { message: "slow down" },
        reason: "PROVIDER_RATE_LIMITED",
        retryAfterMs: 2000,
      },
      errorCase(429, "ModelNotReadyException", "PROVIDER_UNAVAILABLE"),
      errorCase(500, "InternalServerException", "PROVIDER_UNAVAILABLE"),
      errorCase(503, "ServiceUnavailableException", "PROVIDER_UNAVAILABLE"),
      { name: "502 from a proxy", status: 502, body: "<html>Bad Gateway</html>", reason: "PROVIDER_UNAVAILABLE" },
    ],
    failures: [
      {
        name: "an exception frame",
        wire: answer(text(0, "Hi"), exceptionFrame("throttlingException", { message: "Too many requests" })),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "an error frame",
        wire: answer(text(0, "Hi"), errorFrame("InternalError", "An internal server error occurred")),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "an exception after the stop",
        wire: answer(text(0, "Hi"), stop("end_turn"), exceptionFrame("internalServerException", { message: "no" })),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      { name: "an end without a stop", wire: answer(text(0, "Hi"), metadata()), reason: "PROVIDER_STREAM_INTERRUPTED" },
      {
        name: "an end inside a frame",
        wire: answer(text(0, "Hi"), stop("end_turn"), metadata().subarray(0, 40)),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "a frame with a wrong checksum",
        wire: answer(
          text(0, "Hi"),
          stop("end_turn").map((byte, index, { length }) => (index === length - 1 ? byte ^ 1 : byte)),
        ),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "an HTML page instead of a frame",
        wire: answer(text(0, "Hi"), Buffer.from("<html>Bad Gateway</html>")),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "a payload that is not JSON",
        wire: answer(text(0, "Hi"), eventFrame("messageStop", "{")),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "malformed model output",
        wire: answer(text(0, "Hi"), stop("malformed_model_output"), metadata()),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
      {
        name: "a malformed tool call",
        wire: answer(text(0, "Hi"), stop("malformed_tool_use"), metadata()),
        reason: "TOOL_CALL_INVALID",
      },
      {
        name: "arguments of a call that did not start",
        wire: answer(text(0, "Hi"), input(1, "{}"), stop("tool_use")),
        reason: "PROVIDER_STREAM_INTERRUPTED",
      },
    ],
    replay: {
      wire: answer(
        reasoning(0, { text: "I need the weather." }),
        reasoning(0, { signature: "EvQBCk==" }),
        blockStop(0),
        reasoning(1, { redactedContent: "AP8B" }),
        blockStop(1),
        text(2, "Wait."),
        blockStop(2),
        toolUse(3, "tooluse_a", "weather"),
        input(3, '{"unit":"C","city":"Oslo"}'),
        blockStop(3),
        stop("tool_use"),
        metadata(),
      ),
      results: { weather: "sunny" },
      field: "messages",
      sent: [
        { role: "user", content: [{ text: "hello" }] },
        {
          role: "assistant",
          content: [
            { reasoningContent: { reasoningText: { text: "I need the weather.", signature: "EvQBCk==" } } },
            { reasoningContent: { redactedContent: "AP8B" } },
            { text: "Wait." },
            { toolUse: { toolUseId: "tooluse_a", name: "weather", input: { unit: "C", city: "Oslo" } } },
          ],
        },
        { role: "user", content: [{ toolResult: { toolUseId: "tooluse_a", content: [{ text: "sunny" }] } }] },
      ],
    },
    content: bedrockContent,
    everything: { request: everything, sent },
    limited: [
      {
        name: "unsupported fields",
        request: asked({
          parameters: {
            topK: 5,
            minP: 0.1,
            minOutputTokens: 1,
            n: 2,
            seedValue: { case: "seed", value: 7n },
            presencePenalty: 1,
            frequencyPenalty: 1,
            repetitionPenalty: 1.1,
            logprobs: true,
            topLogprobs: 2,
            logitBias: { 1: 1 },
          },
          prediction: { content: "x" },
          promptCacheKey: "k",
          user: "u",
          serviceTier: "scale",
          chatTemplateKwargs: {},
        }),
        adaptations: [
          "parameters.min_output_tokens",
          "parameters.min_p",
          "parameters.seed",
          "parameters.presence_penalty",
          "parameters.frequency_penalty",
          "parameters.repetition_penalty",
          "parameters.logprobs",
          "parameters.top_logprobs",
          "parameters.logit_bias",
          "prediction",
          "service_tier",
          "prompt_cache_key",
          "user",
          "chat_template_kwargs",
        ].map((field) => ({ kind: "UNSUPPORTED_PARAMETER", field })),
      },
      {
        name: "an image URL",
        request: withMedia({ source: { case: "url", value: "https://example.com/a.png" }, mediaType: "image/png" }),
        adaptations: [{ kind: "REJECTED", field: "messages[0].parts[0].media" }],
      },
      {
        name: "an unknown image format and detail",
        request: withMedia({
          source: { case: "data", value: new Uint8Array([1]) },
          mediaType: "image/tiff",
          detail: MediaDetail.HIGH,
        }),
        adaptations: [
          { kind: "REJECTED", field: "messages[0].parts[0].media" },
          { kind: "EMULATED", field: "messages[0].parts[0].media.detail" },
        ],
      },
      {
        name: "regex output",
        request: asked({ outputFormat: { format: { case: "regex", value: { pattern: "a" } } } }),
        adaptations: [{ kind: "REJECTED", field: "output_format.regex" }],
      },
      {
        name: "JSON mode",
        request: asked({ outputFormat: { format: { case: "jsonObject", value: {} } } }),
        adaptations: [{ kind: "EMULATED", field: "output_format.json_object" }],
      },
      {
        name: "earlier tool calls, but no tools now",
        request: asked({ messages: everything.messages }),
        adaptations: [
          { kind: "EMULATED", field: "tools" },
          // This reasoning part has no signature.
          { kind: "EMULATED", field: "messages[3].parts[2].reasoning" },
        ],
      },
      {
        name: "sampling with reasoning, and an effort",
        request: asked({
          parameters: { temperature: 0.5, topP: 0.9, topK: 5 },
          reasoning: { control: { case: "effort", value: ReasoningEffort.LOW } },
        }),
        adaptations: [
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.temperature" },
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.top_p" },
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.top_k" },
          { kind: "EMULATED", field: "reasoning.effort" },
        ],
      },
      {
        name: "a name and a late system message",
        request: asked({
          messages: [
            { role: Role.USER, name: "ann", parts: [textPart("Hi")] },
            { role: Role.SYSTEM, parts: [textPart("Be brief.")] },
          ],
        }),
        adaptations: [
          { kind: "EMULATED", field: "messages[0].name" },
          { kind: "EMULATED", field: "messages[1]" },
        ],
      },
    ],
  },
];

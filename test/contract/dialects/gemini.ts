import { create } from "@bufbuild/protobuf";
import { Secret } from "../../../src/config/secret.ts";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { createGeminiAdapter } from "../../../src/providers/gemini/adapter.ts";
import { ask } from "../../support/requests.ts";
import { functionTool } from "../../support/tools.ts";
import type { Dialect } from "../dialect.ts";
import { text, toolCall } from "../fixtures/generate-content.ts";
import { googleDialect } from "../fixtures/generate-content-dialect.ts";

export const dialects: readonly Dialect[] = [
  googleDialect({
    name: "gemini",
    provenance:
      "types and stream reader of @google/genai 3.1.0, ai.google.dev/api/generate-content, fixtures of @ai-sdk/google 4.0.121",
    create: (baseUrl) =>
      createGeminiAdapter({
        name: "gemini",
        dialect: "gemini",
        baseUrl,
        apiKey: new Secret("AIza-test"),
        keys: [],
        headers: {},
        timeouts: { connectMs: 5_000, firstEventMs: 10_000, idleMs: 10_000 },
        maxConnections: 4,
        maxQueue: 16,
        options: {},
        variables: {},
      }),
    own: { serviceTier: "flex" },
    limited: (model) => [
      {
        name: "unsupported fields",
        request: ask(model.id, "hello", {
          parameters: {
            minP: 0.1,
            minOutputTokens: 5,
            repetitionPenalty: 1.1,
            logitBias: { "1": 2 },
            seedValue: { case: "seed", value: 9007199254740993n },
          },
          tools: [functionTool({ name: "look" })],
          parallelToolCalls: false,
          prediction: { content: "x" },
          promptCacheKey: "k",
          user: "u",
          chatTemplateKwargs: { a: 1 },
        }),
        adaptations: [
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.min_output_tokens" },
          { kind: "UNSUPPORTED_PARAMETER", field: "parameters.min_p" },
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
        name: "values that have no effect",
        request: ask(model.id, "hello", {
          parameters: {
            minP: 0,
            topK: -1,
            n: 1,
            repetitionPenalty: 1,
            minOutputTokens: 0,
            seedValue: { case: "seed", value: -2147483648n },
          },
          parallelToolCalls: false,
        }),
        adaptations: [],
      },
      {
        name: "values that cannot be omitted",
        request: ask(model.id, "hello", {
          outputFormat: { format: { case: "regex", value: { pattern: "a+" } } },
          chatTemplate: "{{ x }}",
        }),
        adaptations: [
          { kind: "REJECTED", field: "chat_template" },
          { kind: "REJECTED", field: "output_format.regex" },
        ],
      },
      {
        name: "an unsupported effort",
        request: ask(model.id, "hello", { reasoning: { control: { case: "effort", value: ReasoningEffort.NONE } } }),
        adaptations: [{ kind: "REJECTED", field: "reasoning.effort" }],
      },
      {
        name: "a token budget and raw reasoning",
        request: ask(model.id, "hello", {
          reasoning: { control: { case: "budgetTokens", value: 512 }, format: ReasoningFormat.RAW },
        }),
        adaptations: [
          { kind: "UNSUPPORTED_PARAMETER", field: "reasoning.budget_tokens" },
          { kind: "UNSUPPORTED_PARAMETER", field: "reasoning.format" },
        ],
      },
      {
        name: "a gs:// URL",
        request: create(ChatRequestSchema, {
          model: model.id,
          messages: [
            {
              role: Role.USER,
              parts: [{ kind: { case: "media", value: { source: { case: "url", value: "gs://bucket/a.png" } } } }],
            },
          ],
        }),
        adaptations: [{ kind: "REJECTED", field: "messages[0].parts[0].media" }],
      },
      {
        name: "another model's unsigned tool call",
        request: create(ChatRequestSchema, {
          model: model.id,
          messages: [
            { role: Role.USER, parts: [text("hello")] },
            { role: Role.ASSISTANT, parts: [toolCall("a", "look", "{}")] },
          ],
        }),
        adaptations: [{ kind: "EMULATED", field: "messages[1].parts" }],
      },
    ],
  }),
];

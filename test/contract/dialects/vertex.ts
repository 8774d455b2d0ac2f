import { create } from "@bufbuild/protobuf";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { createVertexAdapter } from "../../../src/providers/vertex/adapter.ts";
import { ask } from "../../support/requests.ts";
import type { Dialect } from "../dialect.ts";
import { chunk, said, sse, text, usage } from "../fixtures/generate-content.ts";
import { googleDialect } from "../fixtures/generate-content-dialect.ts";

const tokens = { token: async () => "ya29.test", project: async () => "p1", forget: () => {} };

export const dialects: readonly Dialect[] = [
  googleDialect({
    name: "vertex",
    provenance:
      "types of @google/genai 3.1.0, cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference, sources of @ai-sdk/google-vertex 5.0.141",
    create: (baseUrl) =>
      createVertexAdapter(
        {
          name: "vertex",
          dialect: "vertex",
          baseUrl,
          apiKey: undefined,
          keys: [],
          headers: {},
          timeouts: { connectMs: 5_000, firstEventMs: 10_000, idleMs: 10_000 },
          maxConnections: 4,
          maxQueue: 16,
          options: { location: "europe-west4" },
          variables: {},
        },
        tokens,
      ),
    own: {},
    answers: {
      "plain text": {
        // In early chunks, usageMetadata contains only trafficType.
        wire: sse(
          chunk([{ text: "Hello" }], undefined, {
            createTime: "2026-11-21T10:00:00.123456Z",
            usageMetadata: { trafficType: "ON_DEMAND" },
          }),
          chunk([{ text: " there." }], "STOP", {
            usageMetadata: {
              promptTokenCount: 5,
              candidatesTokenCount: 3,
              totalTokenCount: 8,
              trafficType: "ON_DEMAND",
              promptTokensDetails: [{ modality: "TEXT", tokenCount: 5 }],
            },
          }),
        ),
        completion: { choices: [said([text("Hello there.")])], usage: usage(5, 3) },
      },
      "a content filter": {
        // Google blocked the prompt: the first chunk has promptFeedback and no candidates.
        wire: sse({
          promptFeedback: { blockReason: "MODEL_ARMOR", blockReasonMessage: "Blocked by Model Armor." },
          usageMetadata: { promptTokenCount: 9, totalTokenCount: 9, trafficType: "ON_DEMAND" },
        }),
        completion: { choices: [said([], FinishReason.CONTENT_FILTER, "MODEL_ARMOR")], usage: usage(9, 0) },
      },
    },
    limited: (model) => [
      {
        name: "a service tier, which only Gemini has",
        request: ask(model.id, "hello", { serviceTier: "flex" }),
        adaptations: [{ kind: "UNSUPPORTED_PARAMETER", field: "service_tier" }],
      },
      {
        name: "a gs:// URL and an ftp:// URL",
        request: create(ChatRequestSchema, {
          model: model.id,
          messages: [
            {
              role: Role.USER,
              parts: ["gs://bucket/a.png", "ftp://a.example/b.png"].map((value) => ({
                kind: { case: "media" as const, value: { source: { case: "url" as const, value } } },
              })),
            },
          ],
        }),
        adaptations: [{ kind: "REJECTED", field: "messages[0].parts[1].media" }],
      },
    ],
  }),
];

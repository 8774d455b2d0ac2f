import { create } from "@bufbuild/protobuf";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import type { Model } from "../../../src/gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import type { Dialect } from "../dialect.ts";
import { text, toolCall } from "./google-fixtures.ts";

/** Fields that only one of Google's services takes. They have the same name on the wire. */
export interface OwnFields {
  readonly serviceTier?: string;
}

/** The request with every field, and what is sent of it. */
export function googleEverything(model: Model, own: OwnFields): Dialect["everything"] {
  return {
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
          parts: [
            text("I look."),
            {
              ...toolCall("x9", "look", '{"b":1,"a":2}'),
              providerState: { provider: model.provider, model: model.providerModel, data: Buffer.from("Sig") },
            },
          ],
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
      ...own,
      providerOptions: {
        [model.provider]: {
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
      ...own,
      safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }],
    },
  };
}

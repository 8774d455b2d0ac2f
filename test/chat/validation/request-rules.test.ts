import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { annotationViolations } from "../../../src/chat/validation/annotations.ts";
import { requestViolations } from "../../../src/chat/validation/request-rules.ts";
import { fieldText } from "../../../src/errors.ts";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import {
  type Media,
  MediaSchema,
  type Message,
  MessageSchema,
  type Part,
  PartSchema,
  Role,
  ToolCallSchema,
  ToolResultSchema,
} from "../../../src/gen/dragoman/v1/message_pb.js";
import { ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";

type Init = MessageInitShape<typeof ChatRequestSchema>;

const message = (role: Role, kind: Part["kind"]): Message =>
  create(MessageSchema, { role, parts: [create(PartSchema, { kind })] });
const text = (role: Role): Message => message(role, { case: "text", value: "hi" });
const user = text(Role.USER);
const call = (id: string, argumentsJson = "{}", role = Role.ASSISTANT): Message =>
  message(role, { case: "toolCall", value: create(ToolCallSchema, { id, name: "f", argumentsJson }) });
const result = (toolCallId: string): Message =>
  message(Role.TOOL, { case: "toolResult", value: create(ToolResultSchema, { toolCallId }) });
const image = (source: Media["source"]): Message =>
  message(Role.USER, { case: "media", value: create(MediaSchema, { source }) });

/** Returns all fields that violate annotations or rules. */
function wrongFields(chat: Init): readonly string[] {
  const request = create(ChatRequestSchema, { model: "m", messages: [user], ...chat });
  const annotated = annotationViolations(ChatRequestSchema, request).map(({ field }) => field);
  return [...annotated, ...requestViolations(request, 250_000).map(({ field }) => field)].map((field) =>
    fieldText({ field }),
  );
}

describe("a request", () => {
  it.each<[string, Init]>([
    ["a user message", {}],
    ["a tool call with its result", { messages: [user, call("1"), result("1")] }],
    ["empty arguments", { messages: [user, call("1", ""), result("1")] }],
    ["empty text", { messages: [message(Role.USER, { case: "text", value: "" })] }],
    ["empty instructions and a system message", { instructions: "", messages: [text(Role.SYSTEM), user] }],
    ["temperature 0", { parameters: { temperature: 0 } }],
    ["the largest seed", { parameters: { seed: "18446744073709551615" } }],
    ["the smallest seed", { parameters: { seed: "-9223372036854775808" } }],
    ["logprobs with alternatives", { parameters: { logprobs: true, topLogprobs: 20 } }],
  ])("accepts %s", (_, chat) => {
    expect(wrongFields(chat)).toEqual([]);
  });

  it.each<[string, Init, string]>([
    ["no model", { model: "" }, "chat.model"],
    ["no messages", { messages: [] }, "chat.messages"],
    ["a message without a role", { messages: [{ parts: user.parts }] }, "chat.messages[0].role"],
    ["a message without parts", { messages: [{ role: Role.USER }] }, "chat.messages[0].parts"],
    ["a part without a kind", { messages: [{ role: Role.USER, parts: [{}] }] }, "chat.messages[0].parts[0].kind"],
    ["temperature above 2", { parameters: { temperature: 2.01 } }, "chat.parameters.temperature"],
    ["a temperature of NaN", { parameters: { temperature: Number.NaN } }, "chat.parameters.temperature"],
    ["top_p 0", { parameters: { topP: 0 } }, "chat.parameters.top_p"],
    ["min_p above 1", { parameters: { minP: 1.1 } }, "chat.parameters.min_p"],
    ["n 0", { parameters: { n: 0 } }, "chat.parameters.n"],
    ["a penalty of 2.5", { parameters: { presencePenalty: 2.5 } }, "chat.parameters.presence_penalty"],
    ["17 stop sequences", { parameters: { stopSequences: Array(17).fill("x") } }, "chat.parameters.stop_sequences"],
    ["an empty stop sequence", { parameters: { stopSequences: [""] } }, "chat.parameters.stop_sequences[0]"],
    ["top_logprobs 21", { parameters: { logprobs: true, topLogprobs: 21 } }, "chat.parameters.top_logprobs"],
    ["top_logprobs without logprobs", { parameters: { topLogprobs: 2 } }, "chat.parameters"],
    ["a bias of 101", { parameters: { logitBias: { 5: 101 } } }, "chat.parameters.logit_bias[5]"],
    ["a seed of 2^64", { parameters: { seed: "18446744073709551616" } }, "chat.parameters.seed"],
    ["a seed below -2^63", { parameters: { seed: "-9223372036854775809" } }, "chat.parameters.seed"],
    ["a seed that is not an integer", { parameters: { seed: "1.5" } }, "chat.parameters.seed"],
    [
      "min_output_tokens above max_output_tokens",
      { parameters: { minOutputTokens: 5, maxOutputTokens: 4 } },
      "chat.parameters.min_output_tokens",
    ],
    [
      "a tool result without a tool call",
      { messages: [user, result("1")] },
      "chat.messages[1].parts[0].tool_result.tool_call_id",
    ],
    [
      "a tool result before its call",
      { messages: [user, result("1"), call("1")] },
      "chat.messages[1].parts[0].tool_result.tool_call_id",
    ],
    [
      "two tool calls with one id",
      { messages: [user, call("1"), call("1")] },
      "chat.messages[2].parts[0].tool_call.id",
    ],
    [
      "arguments that are not JSON",
      { messages: [user, call("1", "{")] },
      "chat.messages[1].parts[0].tool_call.arguments_json",
    ],
    [
      "arguments that are not an object",
      { messages: [user, call("1", "[]")] },
      "chat.messages[1].parts[0].tool_call.arguments_json",
    ],
    ["a tool call in a user message", { messages: [call("1", "{}", Role.USER)] }, "chat.messages[0].parts[0]"],
    ["text in a tool message", { messages: [user, call("1"), text(Role.TOOL)] }, "chat.messages[2].parts[0]"],
    [
      "image data without a type",
      {
        messages: [image({ case: "data", value: new Uint8Array(1) })],
      },
      "chat.messages[0].parts[0].media.media_type",
    ],
    [
      "an image with a relative URL",
      {
        messages: [image({ case: "url", value: "/a.png" })],
      },
      "chat.messages[0].parts[0].media.url",
    ],
    ["two tools with one name", { tools: [{ name: "f" }, { name: "f" }] }, "chat.tools[1].name"],
    ["a tool name with a space", { tools: [{ name: "f f" }] }, "chat.tools[0].name"],
    [
      "a tool schema that is not JSON",
      { tools: [{ name: "f", parametersJsonSchema: "x" }] },
      "chat.tools[0].parameters_json_schema",
    ],
    [
      "a tool choice that names no tool",
      { toolChoice: { choice: { case: "toolName", value: "g" } } },
      "chat.tool_choice.tool_name",
    ],
    [
      "a required tool call without tools",
      { toolChoice: { choice: { case: "mode", value: ToolChoiceMode.REQUIRED } } },
      "chat.tool_choice.mode",
    ],
    [
      "a schema that is not JSON",
      { outputFormat: { format: { case: "jsonSchema", value: { name: "s", schemaJson: "no" } } } },
      "chat.output_format.json_schema.schema_json",
    ],
    [
      "raw reasoning with a JSON output format",
      { reasoning: { format: ReasoningFormat.RAW }, outputFormat: { format: { case: "jsonObject", value: {} } } },
      "chat.reasoning.format",
    ],
    [
      "instructions beside a system message",
      { instructions: "be terse", messages: [text(Role.SYSTEM), user] },
      "chat.instructions",
    ],
    [
      "a memory of 0 messages",
      { memoryStrategy: { strategy: { case: "lastK", value: { k: 0 } } } },
      "chat.memory_strategy.last_k.k",
    ],
    ["a template of 10,001 characters", { chatTemplate: "x".repeat(10_001) }, "chat.chat_template"],
  ])("rejects %s", (_, chat, field) => {
    expect(wrongFields(chat)).toEqual([field]);
  });

  it("reports all violations at once", () => {
    expect(wrongFields({ model: "", parameters: { temperature: 3, n: 0, seed: "99999999999999999999" } })).toEqual([
      "chat.model",
      "chat.parameters.temperature",
      "chat.parameters.n",
      "chat.parameters.seed",
    ]);
  });

  it("accepts every seed from -2^63 to 2^64-1", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (seed) => {
        expect(wrongFields({ parameters: { seed: seed.toString() } })).toEqual([]);
      }),
    );
  });
});

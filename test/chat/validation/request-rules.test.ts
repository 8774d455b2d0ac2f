import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { allViolations } from "../../../src/chat/validation/annotation-rules.ts";
import { requestViolations } from "../../../src/chat/validation/request-rules.ts";
import { fieldText } from "../../../src/errors.ts";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { type Media, MediaSchema } from "../../../src/gen/dragoman/v1/media_pb.js";
import {
  type Message,
  MessageSchema,
  type Part,
  PartSchema,
  Role,
  SearchResultSchema,
  ServerToolCallSchema,
  ServerToolResultSchema,
  ToolCallSchema,
  type ToolResultPart,
  ToolResultPartSchema,
  ToolResultSchema,
} from "../../../src/gen/dragoman/v1/message_pb.js";
import { Modality } from "../../../src/gen/dragoman/v1/modality_pb.js";
import { ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { allow, functionTool, providerTool } from "../../support/tools.ts";

type Init = MessageInitShape<typeof ChatRequestSchema>;

const message = (role: Role, kind: Part["kind"]): Message =>
  create(MessageSchema, { role, parts: [create(PartSchema, { kind })] });
const text = (role: Role): Message => message(role, { case: "text", value: "hi" });
const user = text(Role.USER);
const call = (id: string, argumentsJson = "{}", role = Role.ASSISTANT): Message =>
  message(role, { case: "toolCall", value: create(ToolCallSchema, { id, name: "f", argumentsJson }) });
const result = (toolCallId: string, parts: readonly ToolResultPart[] = []): Message =>
  message(Role.TOOL, { case: "toolResult", value: create(ToolResultSchema, { toolCallId, parts: [...parts] }) });
const none = new Uint8Array();
const image = (source: Media["source"], mediaType = ""): Media => create(MediaSchema, { source, mediaType });
const imageOf = (source: Media["source"]): Message => message(Role.USER, { case: "media", value: image(source) });
const output = (value: Media): Message => message(Role.ASSISTANT, { case: "media", value });
const search = create(SearchResultSchema, { source: "https://a.example", texts: ["far"] });
const searched = (role: Role): Message => message(role, { case: "searchResult", value: search });
const searchPart = create(ToolResultPartSchema, { kind: { case: "searchResult", value: search } });
const cited = (role: Role): Message =>
  create(MessageSchema, { role, parts: [{ kind: { case: "text", value: "hi" }, citations: [{ citedText: "h" }] }] });
const serverCall = (inputJson: string, role = Role.ASSISTANT): Message =>
  message(role, { case: "serverToolCall", value: create(ServerToolCallSchema, { name: "search", inputJson }) });
const serverResult = (outputJson: string, role = Role.ASSISTANT): Message =>
  message(role, { case: "serverToolResult", value: create(ServerToolResultSchema, { outputJson }) });

/** Returns all fields that violate annotations or rules. */
function wrongFields(chat: Init): readonly string[] {
  const request = create(ChatRequestSchema, { model: "m", messages: [user], ...chat });
  const annotated = allViolations(ChatRequestSchema, request).map(({ field }) => field);
  return [...annotated, ...requestViolations(request, 250_000).map(({ field }) => field)].map((field) =>
    fieldText({ field }),
  );
}

describe("a request", () => {
  it.each<[string, Init]>([
    ["a user message", {}],
    ["a tool call with its result", { messages: [user, call("1"), result("1")] }],
    ["a call id that repeats in a later turn", { messages: [user, call("1"), result("1"), call("1"), result("1")] }],
    ["arguments that a model did not write as JSON", { messages: [user, call("1", '{"a":'), result("1")] }],
    ["arguments that are not an object", { messages: [user, call("1", "[]"), result("1")] }],
    ["empty arguments", { messages: [user, call("1", ""), result("1")] }],
    ["empty text", { messages: [message(Role.USER, { case: "text", value: "" })] }],
    ["empty instructions and a system message", { instructions: "", messages: [text(Role.SYSTEM), user] }],
    ["temperature 0", { parameters: { temperature: 0 } }],
    ["the largest seed", { parameters: { seedValue: { case: "unsignedSeed", value: 2n ** 64n - 1n } } }],
    ["the smallest seed", { parameters: { seedValue: { case: "seed", value: -(2n ** 63n) } } }],
    ["an assistant message without parts", { messages: [user, { role: Role.ASSISTANT }, user] }],
    ["a part without a kind in an assistant message", { messages: [user, { role: Role.ASSISTANT, parts: [{}] }] }],
    ["audio output with only a transcript", { messages: [user, output(create(MediaSchema, { transcript: "hi" }))] }],
    [
      "media with empty data in an assistant message",
      { messages: [user, output(image({ case: "data", value: none }, "image/png"))] },
    ],
    ["a file of the provider's store", { messages: [imageOf({ case: "fileId", value: "file-1" })] }],
    ["a search result in a user message", { messages: [searched(Role.USER)] }],
    ["a search result in a tool result", { messages: [user, call("1"), result("1", [searchPart])] }],
    ["citations in an assistant message", { messages: [user, cited(Role.ASSISTANT)] }],
    ["a server tool call without input", { messages: [user, serverCall("")] }],
    ["arguments that nest 129 levels", { messages: [user, call("1", "[".repeat(129))] }],
    ["server tool input that was cut off", { messages: [user, serverCall('{"a":')] }],
    ["server tool output that nests 129 levels", { messages: [user, serverResult("[".repeat(129))] }],
    ["server tool input that is a list", { messages: [user, serverCall("[1]")] }],
    ["server tool output that is null", { messages: [user, serverResult("null")] }],
    ["audio output", { responseModalities: [Modality.TEXT, Modality.AUDIO], audioOutput: { voice: "alloy" } }],
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
    [
      "a part without a kind in a tool message",
      { messages: [user, call("1"), { role: Role.TOOL, parts: [{}] }] },
      "chat.messages[2].parts[0].kind",
    ],
    ["media without a source", { messages: [imageOf({ case: undefined })] }, "chat.messages[0].parts[0].media.source"],
    [
      "a search result in an assistant message",
      { messages: [user, searched(Role.ASSISTANT)] },
      "chat.messages[1].parts[0]",
    ],
    ["a search result in a system message", { messages: [searched(Role.SYSTEM), user] }, "chat.messages[0].parts[0]"],
    ["citations in a user message", { messages: [cited(Role.USER)] }, "chat.messages[0].parts[0].citations"],
    ["a server tool call in a user message", { messages: [serverCall("", Role.USER)] }, "chat.messages[0].parts[0]"],
    [
      "a server tool result in a user message",
      { messages: [serverResult("", Role.USER)] },
      "chat.messages[0].parts[0]",
    ],
    ["audio output without the modality", { audioOutput: { voice: "alloy" } }, "chat.audio_output"],
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
    ["a tool call in a user message", { messages: [call("1", "{}", Role.USER)] }, "chat.messages[0].parts[0]"],
    ["text in a tool message", { messages: [user, call("1"), text(Role.TOOL)] }, "chat.messages[2].parts[0]"],
    [
      "image data without a type",
      {
        messages: [imageOf({ case: "data", value: new Uint8Array(1) })],
      },
      "chat.messages[0].parts[0].media.media_type",
    ],
    [
      "an image with a relative URL",
      {
        messages: [imageOf({ case: "url", value: "/a.png" })],
      },
      "chat.messages[0].parts[0].media.url",
    ],
    [
      "two tools with one name",
      { tools: [functionTool({ name: "f" }), functionTool({ name: "f" })] },
      "chat.tools[1].function.name",
    ],
    ["a tool name with a space", { tools: [functionTool({ name: "f f" })] }, "chat.tools[0].function.name"],
    [
      "a tool schema that is not JSON",
      { tools: [functionTool({ name: "f", parametersJsonSchema: "x" })] },
      "chat.tools[0].function.parameters_json_schema",
    ],
    [
      "a tool choice that names no tool",
      { toolChoice: { choice: { case: "toolName", value: "g" } } },
      "chat.tool_choice.tool_name",
    ],
    [
      "a tool choice that names a tool of the provider",
      {
        tools: [providerTool({ type: "web_search" })],
        toolChoice: { choice: { case: "toolName", value: "web_search" } },
      },
      "chat.tool_choice.tool_name",
    ],
    [
      "an allowed tool that is no function of the request",
      {
        tools: [functionTool({ name: "f" }), providerTool({ type: "g" })],
        toolChoice: allow(ToolChoiceMode.AUTO, "f", "g"),
      },
      "chat.tool_choice.allowed_tools.tool_names[1]",
    ],
    [
      "allowed tools with the mode NONE",
      { tools: [functionTool({ name: "f" })], toolChoice: allow(ToolChoiceMode.NONE, "f") },
      "chat.tool_choice.allowed_tools.mode",
    ],
    [
      "an allowed tool that is named twice",
      { tools: [functionTool({ name: "f" })], toolChoice: allow(ToolChoiceMode.AUTO, "f", "f") },
      "chat.tool_choice.allowed_tools.tool_names",
    ],
    [
      "a tool name of 129 characters",
      { tools: [functionTool({ name: "f".repeat(129) })] },
      "chat.tools[0].function.name",
    ],
    ["a provider tool without a type", { tools: [providerTool({})] }, "chat.tools[0].provider_tool.type"],
    [
      "a provider tool whose configuration is not an object",
      { tools: [providerTool({ type: "web_search", configJson: "[]" })] },
      "chat.tools[0].provider_tool.config_json",
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

  it.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])("rejects %d in free JSON", (number) => {
    const value = { deep: [{ odd: number }, 1e308, null] };
    const chat = create(ChatRequestSchema, {
      model: "m",
      messages: [user],
      providerOptions: { openai: value },
      chatTemplateKwargs: value,
    });
    expect(requestViolations(chat, 1000).map(fieldText)).toEqual([
      "chat.provider_options.openai.deep[0].odd",
      "chat.chat_template_kwargs.deep[0].odd",
    ]);
  });

  it("reports all violations at once", () => {
    expect(
      wrongFields({
        model: "",
        parameters: { temperature: 3, n: 0 },
      }),
    ).toEqual(["chat.model", "chat.parameters.temperature", "chat.parameters.n"]);
  });
});

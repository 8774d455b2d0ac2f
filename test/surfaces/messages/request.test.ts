import { describe, expect, it } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import { formatDotted } from "../../../src/field-path.ts";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { messagesSurface } from "../../../src/surfaces/messages/chat.ts";
import { noModels } from "../harness.ts";

const ask = { model: "m", max_tokens: 9, messages: [{ role: "user", content: "hi" }] };
const translate = (more: object, headers: Record<string, string> = {}) =>
  messagesSurface.translate({ ...ask, ...more }, { parameters: {}, headers: new Headers(headers), catalog: noModels });
const chatOf = (more: object) => translate(more).chat;
const partsOf = (role: string, content: unknown) => chatOf({ messages: [{ role, content }] }).messages[0]?.parts ?? [];

function problemOf(more: object): string {
  try {
    translate(more);
  } catch (error) {
    if (error instanceof GatewayError) return error.message;
  }
  return "";
}

describe("the body of /v1/messages", () => {
  it.each([
    [{ type: "enabled", budget_tokens: 2048 }, { control: { case: "budgetTokens", value: 2048 } }],
    [{ type: "disabled" }, { control: { case: "effort", value: ReasoningEffort.NONE } }],
    [{ type: "between_tools" }, { control: { case: "effort", value: ReasoningEffort.NONE } }],
    [{ type: "adaptive" }, { control: { case: "effort", value: ReasoningEffort.HIGH } }],
    [{ type: "adaptive", display: "omitted" }, { format: ReasoningFormat.HIDDEN }],
  ])("turns thinking %j into reasoning", (thinking, reasoning) => {
    expect(chatOf({ thinking }).reasoning).toMatchObject(reasoning);
  });

  it("takes the effort of adaptive thinking from output_config, and lets the planner choose without any amount", () => {
    const { chat } = translate({ thinking: { type: "adaptive" }, output_config: { effort: "max" } });
    expect(chat.reasoning?.control).toEqual({ case: "effort", value: ReasoningEffort.MAX });
    expect(translate({ thinking: { type: "enabled" } }).extras).toMatchObject({
      turnsReasoningOn: true,
    });
  });

  it.each([
    [{ type: "auto" }, { choice: { case: "mode", value: ToolChoiceMode.AUTO } }, undefined],
    [
      { type: "any", disable_parallel_tool_use: true },
      { choice: { case: "mode", value: ToolChoiceMode.REQUIRED } },
      false,
    ],
    [{ type: "tool", name: "f" }, { choice: { case: "toolName", value: "f" } }, undefined],
    [{ type: "none" }, { choice: { case: "mode", value: ToolChoiceMode.NONE } }, undefined],
  ])("translates the tool choice %j", (tool_choice, toolChoice, parallelToolCalls) => {
    const chat = chatOf({ tool_choice, tools: [{ name: "f", input_schema: { type: "object" } }] });
    expect(chat).toMatchObject({ toolChoice });
    expect(chat.parallelToolCalls).toBe(parallelToolCalls);
  });

  it("reads each kind of image and document", () => {
    const parts = partsOf("user", [
      { type: "image", source: { type: "base64", media_type: "image/png", data: "AQI=" } },
      { type: "image", source: { type: "url", url: "https://a.example/a.png" } },
      { type: "image", source: { type: "file", file_id: "file_1" } },
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: "AQI=" }, title: "T" },
      { type: "document", source: { type: "text", media_type: "text/plain", data: "é" }, citations: { enabled: true } },
      {
        type: "document",
        source: {
          type: "content",
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" },
          ],
        },
      },
      { type: "document", source: { type: "url", url: "https://a.example/a.pdf" }, context: "From the archive." },
      { type: "container_upload", file_id: "file_2" },
    ]);
    const bytes = (...data: number[]) => ({ source: { case: "data", value: Buffer.from(data) } });
    expect(parts.map(({ kind }) => kind.value)).toMatchObject([
      { ...bytes(1, 2), mediaType: "image/png" },
      { source: { case: "url", value: "https://a.example/a.png" } },
      { source: { case: "fileId", value: "file_1" }, mediaType: "image/png" },
      { ...bytes(1, 2), mediaType: "application/pdf", filename: "T" },
      { source: { value: Buffer.from("é") }, mediaType: "text/plain", citable: true },
      { source: { value: Buffer.from("a\n\nb") }, mediaType: "text/plain" },
      "From the archive.",
      { source: { case: "url", value: "https://a.example/a.pdf" }, mediaType: "application/pdf" },
      { source: { case: "fileId", value: "file_2" }, mediaType: "application/octet-stream" },
    ]);
  });

  it("makes a message of its own of the results of tools", () => {
    const { messages } = chatOf({
      messages: [
        { role: "assistant", content: [{ type: "tool_use", id: "c", name: "f", input: {} }] },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "c", content: "4", cache_control: { type: "ephemeral", ttl: "1h" } },
            { type: "text", text: "go on" },
          ],
        },
      ],
    });
    expect(messages.slice(1)).toMatchObject([
      { parts: [{ kind: { case: "toolResult", value: { toolCallId: "c" } }, cacheHint: { ttl: { seconds: 3600n } } }] },
      { parts: [{ kind: { case: "text", value: "go on" } }] },
    ]);
  });

  it("keeps a signature of Claude, and takes back what it carried for another provider", () => {
    const [signed, empty, redacted] = partsOf("assistant", [
      { type: "thinking", thinking: "a", signature: "EvQB" },
      { type: "thinking", thinking: "b", signature: "" },
      { type: "redacted_thinking", data: "Emw" },
    ]);
    expect(signed?.providerState).toMatchObject({ provider: "anthropic", model: "", data: Buffer.from("EvQB") });
    expect(empty?.providerState).toBeUndefined();
    expect(redacted).toMatchObject({
      kind: { value: { redacted: true } },
      providerState: { data: Buffer.from("Emw") },
    });
  });

  it("sends betas to the providers with Anthropic's API", () => {
    expect(translate({}, { "anthropic-beta": "a-2025-01-01, b" }).chat.providerOptions).toEqual({
      anthropic: { betas: ["a-2025-01-01", "b"] },
    });
  });

  it("passes on fields that ChatRequest lacks, for Anthropic's API only, and names others that it leaves out", () => {
    const { extras } = translate({
      context_management: { edits: [] },
      new_beta_field: 1,
      output_config: { task_budget: { total: 5 } },
      thinking: { type: "adaptive", block_binding: {} },
      tools: [
        { name: "f", input_schema: {}, strict: true, defer_loading: true, allowed_callers: ["direct"] },
        { name: "g", input_schema: {}, cache_control: null, input_examples: [{ a: 1 }], eager_input_streaming: null },
        { name: "h", input_schema: {} },
      ],
    });
    expect(extras).toMatchObject({
      dialect: "anthropic",
      fields: { context_management: { edits: [] }, new_beta_field: 1, output_config: { task_budget: { total: 5 } } },
    });
    expect(extras?.toolFields).toEqual([
      { index: 0, fields: { defer_loading: true, allowed_callers: ["direct"] } },
      { index: 1, fields: { input_examples: [{ a: 1 }] } },
    ]);
    expect(extras?.leftOut.map(formatDotted)).toEqual(["thinking.block_binding"]);
  });

  it.each([
    [{ max_tokens: undefined }, "max_tokens: is required"],
    [{ messages: [{ role: "user", content: [{ type: "imge" }] }] }, "messages.0.content.0.type: must be"],
    [
      { messages: [{ role: "assistant", content: [{ type: "tool_use", name: "f" }] }] },
      "messages.0.content.0.id: is required",
    ],
    [{ messages: [{ role: "assistant", content: [{ type: "image" }] }] }, "messages.0.content.0"],
    [{ temprature: 1 }, "temprature: is not a property of this API; did you mean temperature?"],
    [{ stop: "x" }, "stop: is not a property of this API; write stop_sequences"],
    [
      { thread: { type: "create" } },
      "thread: is not supported, since Dragoman stores no conversations; send all messages",
    ],
    [{ fallbacks: [] }, "fallbacks: is not supported; the operator configures fallbacks as a route"],
    [{ tools: [{ name: "f" }] }, "tools.0"],
    [
      {
        output_config: { format: { type: "json_schema", schema: {} } },
        output_format: { type: "json_schema", schema: {} },
      },
      "output_format: sets the output format, as output_config.format does",
    ],
  ])("says what is wrong with %j", (more, problem) => {
    expect(problemOf(more)).toContain(problem);
  });

  it.each([
    [["messages", 1, "parts", 0, "media", "media_type"], "messages.0.content.0.source.media_type"],
    [["messages", 1, "parts", 1, "media", "data"], "messages.0.content.1.source.data"],
    [["messages", 2, "parts", 0, "tool_result", "tool_call_id"], "messages.1.content.0.tool_use_id"],
    [["messages", 2, "parts", 0, "tool_result", "parts", 0, "media"], "messages.1.content.0.content.1"],
    [["messages", 0, "parts", 0, "text"], "system.text"],
    [["messages", 1], "messages.0"],
    [["messages"], "messages"],
    [["parameters", "max_output_tokens"], "max_tokens"],
    [["parameters", "stop_sequences", 2], "stop_sequences.2"],
    [["tools", 0, "function", "parameters_json_schema"], "tools.0.input_schema"],
    [["tools", 1, "provider_tool", "provider"], "tools.1.type"],
    [["tool_choice", "tool_name"], "tool_choice.name"],
    [["output_format", "json_schema", "schema_json"], "output_config.format.schema"],
    [["reasoning", "effort"], "output_config.effort"],
    [["user"], "metadata.user_id"],
    [["provider_options", { key: "anthropic" }, "betas"], "anthropic-beta"],
    [["provider_options", { key: "openai" }, "speed"], "speed"],
  ])("names the field %j %s", (path, name) => {
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "AQI=" } };
    const { nameField } = translate({
      system: "be brief",
      messages: [
        { role: "user", content: [image, image] },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: "c", content: [{ type: "browser_state" }, image] }],
        },
      ],
      output_config: { effort: "low", format: { type: "json_schema", schema: {} } },
    });
    expect(formatDotted(nameField(path))).toBe(name);
  });
});

import { describe, expect, it } from "vitest";
import { MediaDetail } from "../../../src/gen/dragoman/v1/media_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { rejectedItems } from "../../../src/surfaces/responses/items.ts";
import { responsesSurface } from "../../../src/surfaces/responses/surface.ts";
import { rejectedTools } from "../../../src/surfaces/responses/tools.ts";
import { startSurface } from "../harness.ts";
import { part, requestOf, translate } from "./translate.ts";

const text = (value: string) => part({ kind: { case: "text", value } });
const call = (id: string, name: string, args: object) =>
  part({ kind: { case: "toolCall", value: { id, name, argumentsJson: JSON.stringify(args) } } });
const result = (toolCallId: string, value: string, isError = false) =>
  part({
    kind: { case: "toolResult", value: { toolCallId, parts: [{ kind: { case: "text", value } }], isError } },
  });

/** Role and parts of each message. */
const messagesOf = (input: unknown, more: object = {}) =>
  requestOf(input, more).messages.map(({ role, parts }) => [role, ...parts]);

/** Parts of the only message. */
const partsOf = (item: object) => requestOf([item]).messages.flatMap(({ parts }) => parts);
const mediaOf = (content: object) => partsOf({ role: "user", content: [content] })[0]?.kind.value;

describe("the input of a request", () => {
  it("takes a text, and instructions in front of it", () => {
    expect(messagesOf("hi", { instructions: "be brief" })).toEqual([
      [Role.SYSTEM, text("be brief")],
      [Role.USER, text("hi")],
    ]);
  });

  it("takes messages with and without a type, as text and as a list of parts", () => {
    const input = [
      { role: "system", content: "a" },
      { type: "message", role: "developer", content: [{ type: "input_text", text: "b" }] },
      { role: "user", content: "c" },
      { role: "assistant", content: "d" },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "e" }] },
      { role: "assistant", content: [{ type: "refusal", refusal: "no" }] },
      { role: "user", content: "f" },
    ];
    expect(messagesOf(input)).toEqual([
      [Role.SYSTEM, text("a")],
      [Role.DEVELOPER, text("b")],
      [Role.USER, text("c")],
      [Role.ASSISTANT, text("d"), text("e"), part({ kind: { case: "refusal", value: "no" } })],
      [Role.USER, text("f")],
    ]);
  });

  it("takes images and files by URL, as data and by id", () => {
    const data = Buffer.from("ab");
    const base64 = data.toString("base64");
    const image = { type: "input_image" };
    expect(mediaOf({ ...image, image_url: "https://a.example/a.png", detail: "low" })).toMatchObject({
      source: { case: "url", value: "https://a.example/a.png" },
      detail: MediaDetail.LOW,
    });
    expect(mediaOf({ ...image, image_url: `data:image/webp;base64,${base64}` })).toMatchObject({
      source: { case: "data", value: data },
      mediaType: "image/webp",
    });
    expect(mediaOf({ ...image, file_id: "file-1" })).toMatchObject({ source: { case: "fileId", value: "file-1" } });
    const file = { type: "input_file", filename: "a.pdf" };
    expect(mediaOf({ ...file, file_data: `data:application/pdf;base64,${base64}` })).toMatchObject({
      source: { case: "data", value: data },
      mediaType: "application/pdf",
      filename: "a.pdf",
    });
    expect(mediaOf({ ...file, file_url: "https://a.example/a.pdf" })).toMatchObject({
      source: { case: "url", value: "https://a.example/a.pdf" },
    });
    expect(mediaOf({ ...file, file_id: "file-2" })).toMatchObject({ source: { case: "fileId", value: "file-2" } });
    expect(mediaOf({ type: "input_audio", input_audio: { data: base64, format: "mp3" } })).toMatchObject({
      source: { case: "data", value: data },
      mediaType: "audio/mpeg",
    });
  });

  it("takes calls of functions and custom tools with their outputs, in one message each", () => {
    const input = [
      { role: "user", content: "go" },
      { type: "function_call", id: "fc_1", call_id: "a", name: "f", arguments: '{"x":1}', status: "completed" },
      { type: "custom_tool_call", call_id: "b", name: "patch", input: "*** Begin\n" },
      { type: "function_call", call_id: "c", name: "read", namespace: "mcp__files__", arguments: "{}" },
      { type: "function_call_output", call_id: "a", output: "1" },
      { type: "custom_tool_call_output", call_id: "b", output: [{ type: "input_text", text: "2" }] },
      {
        type: "function_call_output",
        call_id: "c",
        output: [{ type: "input_image", image_url: "https://a.example/a.png" }],
      },
    ];
    const image = {
      kind: { case: "media", value: { source: { case: "url", value: "https://a.example/a.png" } } },
    } as const;
    expect(messagesOf(input)).toEqual([
      [Role.USER, text("go")],
      [
        Role.ASSISTANT,
        call("a", "f", { x: 1 }),
        call("b", "patch", { input: "*** Begin\n" }),
        call("c", "mcp__files__read", {}),
      ],
      [
        Role.TOOL,
        result("a", "1"),
        result("b", "2"),
        part({ kind: { case: "toolResult", value: { toolCallId: "c", parts: [image] } } }),
      ],
    ]);
  });

  it.each([
    [
      {
        type: "local_shell_call",
        id: "lsh_1",
        call_id: "a",
        action: { type: "exec", command: ["ls"] },
        status: "completed",
      },
      { type: "local_shell_call_output", id: "a", output: "ok" },
      "local_shell",
      { type: "exec", command: ["ls"] },
      "ok",
    ],
    [
      { type: "shell_call", call_id: "a", action: { commands: ["ls"] } },
      { type: "shell_call_output", call_id: "a", output: [{ stdout: "ok", stderr: "" }] },
      "shell",
      { commands: ["ls"] },
      '[{"stdout":"ok","stderr":""}]',
    ],
    [
      { type: "apply_patch_call", call_id: "a", operation: { type: "delete_file", path: "a" }, status: "completed" },
      { type: "apply_patch_call_output", call_id: "a", status: "failed", output: "no such file" },
      "apply_patch",
      { type: "delete_file", path: "a" },
      "no such file",
    ],
  ])("takes a conversation in which a model of OpenAI called a tool of its own: $type", (item, output, name, args, said) => {
    const isError = output.type === "apply_patch_call_output";
    expect(messagesOf([item, output])).toEqual([
      [Role.ASSISTANT, call("a", name, args)],
      [Role.TOOL, result("a", said, isError)],
    ]);
  });

  it("takes a screenshot as the result of a computer call", () => {
    const input = [
      { type: "computer_call", id: "cu_1", call_id: "a", action: { type: "screenshot" }, status: "completed" },
      {
        type: "computer_call_output",
        call_id: "a",
        output: { type: "computer_screenshot", image_url: "https://a.example" },
      },
    ];
    expect(requestOf(input).messages[1]?.parts[0]).toMatchObject({
      kind: { value: { toolCallId: "a", parts: [{ kind: { case: "media" } }] } },
    });
  });

  it("keeps calls of tools that OpenAI ran as state of this provider", () => {
    const item = { type: "file_search_call", id: "fs_1", status: "completed", queries: ["q"], results: [] };
    const [kept] = partsOf(item);
    expect(kept).toMatchObject({
      kind: { case: "serverToolCall", value: { id: "fs_1", name: "file_search_call" } },
      providerState: { provider: "openai" },
    });
    expect(JSON.parse(Buffer.from(kept?.providerState?.data ?? []).toString())).toEqual(item);
  });

  it("takes an image of an earlier response", () => {
    const item = {
      type: "image_generation_call",
      id: "ig_1",
      status: "completed",
      result: "AQID",
      output_format: "webp",
    };
    expect(partsOf(item)).toMatchObject([
      { kind: { case: "media", value: { source: { value: Buffer.from([1, 2, 3]) }, mediaType: "image/webp" } } },
    ]);
  });

  it("takes prompt cache breakpoints", () => {
    const content = [{ type: "input_text", text: "a", prompt_cache_breakpoint: { mode: "explicit", ttl: "30m" } }];
    expect(partsOf({ role: "user", content })).toMatchObject([{ cacheHint: { ttl: { seconds: 1800n } } }]);
  });

  it.each(Object.entries(rejectedItems))("rejects %s with a reason", (type, reason) => {
    expect(() =>
      requestOf([
        { role: "user", content: "hi" },
        { type, id: "x" },
      ]),
    ).toThrow(`input.1: ${reason}`);
  });

  it("rejects a reference without a type, as OpenAI's clients write it", () => {
    expect(() => requestOf([{ id: "msg_1" }])).toThrow("input.0: refers to a stored item");
  });
});

describe("the parameters of a request", () => {
  it("become those of the contract", () => {
    const { parameters, reasoning, outputFormat, memoryStrategy, ...chat } = requestOf("hi", {
      max_output_tokens: 9,
      temperature: 0.5,
      top_p: 0.5,
      include: ["message.output_text.logprobs"],
      top_logprobs: 2,
      reasoning: { effort: "xhigh", summary: "auto" },
      text: { format: { type: "json_schema", name: "r", schema: { type: "object" }, strict: true } },
      truncation: "auto",
      parallel_tool_calls: false,
      prompt_cache_key: "k",
      service_tier: "flex",
      safety_identifier: "s",
    });
    expect(parameters).toMatchObject({
      maxOutputTokens: 9,
      temperature: 0.5,
      topP: 0.5,
      logprobs: true,
      topLogprobs: 2,
    });
    expect(reasoning).toMatchObject({ control: { value: ReasoningEffort.XHIGH }, format: ReasoningFormat.PARSED });
    expect(outputFormat).toMatchObject({
      format: { case: "jsonSchema", value: { name: "r", schemaJson: '{"type":"object"}', strict: true } },
    });
    expect(memoryStrategy).toMatchObject({ strategy: { case: "autoTrim" } });
    expect(chat).toMatchObject({ parallelToolCalls: false, promptCacheKey: "k", serviceTier: "flex", user: "s" });
  });

  it.each([
    ["none", { case: "mode", value: ToolChoiceMode.NONE }],
    ["required", { case: "mode", value: ToolChoiceMode.REQUIRED }],
    [
      { type: "function", name: "f" },
      { case: "toolName", value: "f" },
    ],
    [
      { type: "custom", name: "patch" },
      { case: "toolName", value: "patch" },
    ],
    [
      {
        type: "allowed_tools",
        mode: "required",
        tools: [{ type: "function", name: "f" }, { type: "custom", name: "patch" }, { type: "web_search" }],
      },
      { case: "allowedTools", value: { mode: ToolChoiceMode.REQUIRED, toolNames: ["f", "patch"] } },
    ],
  ])("takes the tool choice %j", (tool_choice, choice) => {
    expect(requestOf("hi", { tool_choice }).toolChoice).toMatchObject({ choice });
  });

  it.each([
    [
      { previous_response_id: "resp_1" },
      "previous_response_id: is not supported, because Dragoman stores no responses",
    ],
    [{ conversation: "conv_1" }, "conversation: is not supported, because Dragoman stores no responses"],
    [{ background: true }, "background: is not supported"],
    [{ prompt: { id: "pmpt_1" } }, "prompt: is not supported, because Dragoman stores no prompts"],
    [{ messages: [{}] }, "messages: is not a property of this API; write input"],
    [{ max_tokens: 5 }, "max_tokens: is not a property of this API; write max_output_tokens"],
    [{ response_format: {} }, "response_format: is not a property of this API; write text.format"],
    [{ instrctions: "x" }, "instrctions: is not a property of this API; did you mean instructions?"],
    [{ stream_options: { include_obfuscation: false } }, "stream_options: requires stream to be true"],
    [
      { tool_choice: { type: "web_search_preview" } },
      "tool_choice: cannot force a tool of the type web_search_preview",
    ],
    [
      { tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "web_search" }] } },
      "tool_choice.tools: must name a function or a custom tool",
    ],
    [{ include: ["everything"] }, "include.0: must be"],
  ])("rejects %j with a text that says what to write", (more, message) => {
    expect(() => requestOf("hi", more)).toThrow(message);
  });

  it("requires input", () => {
    expect(() => translate({})).toThrow("input: is required");
  });

  it("names what it leaves out instead of dropping it in silence", () => {
    const input = [
      {
        role: "assistant",
        phase: "commentary",
        content: [{ type: "output_text", text: "a", annotations: [{ type: "file_path" }] }],
      },
      { role: "user", content: "hi" },
    ];
    const { extras } = translate({
      input,
      client_metadata: { a: "b" },
      user: "u",
      safety_identifier: "s",
      reasoning: { mode: "pro" },
      include: ["reasoning.encrypted_content", "file_search_call.results"],
      tools: [{ type: "function", name: "f", parameters: {}, defer_loading: true, output_schema: {} }],
    });
    expect(extras?.leftOut).toEqual([
      ["client_metadata"],
      ["user"],
      ["reasoning", "mode"],
      ["input", 0, "phase"],
      ["input", 0, "content", 0, "annotations", 0],
      ["tools", 0, "defer_loading"],
      ["tools", 0, "output_schema"],
    ]);
  });

  it("passes on what only some providers have", () => {
    const include = ["reasoning.encrypted_content", "file_search_call.results"];
    const { extras } = translate({ input: "hi", text: { verbosity: "low" }, max_tool_calls: 2, include });
    expect(extras?.fields).toEqual({ verbosity: "low", max_tool_calls: 2, include: ["file_search_call.results"] });
  });
});

describe("the tools of a request", () => {
  const toolsOf = (...tools: readonly object[]) => requestOf("hi", { tools }).tools.map(({ kind }) => kind.value);
  const strict = {
    type: "object",
    properties: { a: { type: "string" } },
    required: ["a"],
    additionalProperties: false,
  };

  it("are strict by default only if strict mode allows their schema", () => {
    const loose = { type: "object", properties: { a: { type: "string" } } };
    expect(
      toolsOf(
        { type: "function", name: "a", parameters: strict },
        { type: "function", name: "b", parameters: loose },
        { type: "function", name: "c", parameters: strict, strict: false },
        { type: "function", name: "d", parameters: loose, strict: true },
      ).map((tool) => tool && "strict" in tool && tool.strict),
    ).toEqual([true, false, false, true]);
  });

  it("include custom tools as functions with one text parameter, which says the grammar", () => {
    const [tool] = toolsOf({
      type: "custom",
      name: "apply_patch",
      description: "Edits files.",
      format: { type: "grammar", syntax: "lark", definition: "start: begin" },
    });
    expect(tool).toMatchObject({ name: "apply_patch" });
    const { description = "", parametersJsonSchema = "" } = tool as {
      description?: string;
      parametersJsonSchema?: string;
    };
    expect(description).toBe("Edits files.\n\nThe parameter input must match this lark grammar:\nstart: begin");
    expect(JSON.parse(parametersJsonSchema)).toMatchObject({ required: ["input"] });
  });

  it("include the functions of a namespace", () => {
    const inner = { type: "function", name: "read", description: "Reads.", parameters: strict };
    const tools = [{ type: "namespace", name: "mcp__files__", description: "Files.", tools: [inner] }];
    expect(toolsOf(...tools)).toMatchObject([{ name: "mcp__files__read", description: "Files.\n\nReads." }]);
  });

  const equivalentsOf = (tool: object) => {
    const { tools = [], isOptional } = translate({ input: "hi", tools: [tool] }).extras?.equivalentTools?.get(0) ?? {};
    return {
      providers: tools.map(({ kind }) => kind.case === "providerTool" && kind.value.provider),
      isOptional,
      tools,
    };
  };

  it("search the web with the tool of the provider that serves the request", () => {
    const { providers, isOptional, tools } = equivalentsOf({
      type: "web_search",
      filters: { allowed_domains: ["a.example"] },
    });
    expect({ providers, isOptional }).toEqual({
      providers: ["openai", "azure-openai", "anthropic", "gemini", "vertex"],
      isOptional: true,
    });
    expect(tools[0]).toMatchObject({
      kind: { value: { type: "web_search", configJson: '{"filters":{"allowed_domains":["a.example"]}}' } },
    });
    expect(tools[2]).toMatchObject({
      kind: {
        value: { type: "web_search_20250305", configJson: '{"name":"web_search","allowed_domains":["a.example"]}' },
      },
    });
  });

  it("search only OpenAI's copies of pages if the client says so", () => {
    const { providers } = equivalentsOf({ type: "web_search", external_web_access: false });
    expect(providers).toEqual(["openai", "azure-openai"]);
  });

  it("are those of OpenAI if OpenAI runs them", () => {
    expect(toolsOf({ type: "code_interpreter", container: { type: "auto" } })).toMatchObject([
      { provider: "openai", type: "code_interpreter", configJson: '{"container":{"type":"auto"}}' },
    ]);
  });

  it.each(Object.entries(rejectedTools))("reject %s with a reason", (type, reason) => {
    expect(() => requestOf("hi", { tools: [{ type }] })).toThrow(`tools.0: ${reason}`);
  });
});

it("a response repeats a schema with all digits of its integers", async () => {
  const { post } = await startSurface(responsesSurface);
  const tool = '{"type":"function","name":"f","parameters":{"maximum":12345678901234567890}}';
  const response = await post(`{"model":"echo/echo","input":"hi","tools":[${tool}]}`);
  expect(await response.text()).toContain('"maximum":12345678901234567890');
});

describe("the names of fields in errors and warnings", () => {
  const { nameField } = translate({
    instructions: "be brief",
    input: [
      {
        role: "user",
        content: [
          { type: "input_text", text: "a" },
          { type: "input_image", image_url: "https://a" },
        ],
      },
      { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "c", output: "1" },
    ],
    tools: [
      { type: "namespace", name: "n", tools: [{ type: "function", name: "f", parameters: {} }] },
      { type: "web_search" },
    ],
  });

  it.each([
    ["messages 0 parts 0", "instructions"],
    ["messages 1 parts 1 media", "input.0.content.1"],
    ["messages 2 parts 0 tool_call id", "input.1.call_id"],
    ["messages 2 parts 0 tool_call arguments_json", "input.1.arguments"],
    ["messages 3 parts 0 tool_result tool_call_id", "input.2.call_id"],
    ["messages 1 parts", "input.0"],
    ["messages", "input"],
    ["parameters max_output_tokens", "max_output_tokens"],
    ["output_format json_schema schema_json", "text.format.schema"],
    ["reasoning effort", "reasoning.effort"],
    ["tools 0 function name", "tools.0.tools.0.name"],
    ["tool_choice tool_name", "tool_choice.name"],
    ["provider_options openai verbosity", "text.verbosity"],
    ["provider_options openai input 0 phase", "input.0.phase"],
  ])("%s is %s", (field, name) => {
    const path = field.split(" ").map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    expect(nameField(path).join(".")).toBe(name);
  });
});

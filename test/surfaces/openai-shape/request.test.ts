import { toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fieldText, GatewayError } from "../../../src/errors.ts";
import { formatDotted } from "../../../src/field-path.ts";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { MediaDetail } from "../../../src/gen/dragoman/v1/media_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { Modality } from "../../../src/gen/dragoman/v1/modality_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { cerebrasSurface } from "../../../src/surfaces/cerebras/chat.ts";
import { deepinfraSurface } from "../../../src/surfaces/deepinfra/chat.ts";
import { parseBody } from "../../../src/surfaces/kit/body.ts";
import type { ChatSurface } from "../../../src/surfaces/kit/surface.ts";
import { openaiSurface } from "../../../src/surfaces/openai/chat.ts";
import { toPath } from "../../support/paths.ts";
import { noModels } from "../harness.ts";

const surfaces = [openaiSurface, cerebrasSurface, deepinfraSurface];
const hello = [{ role: "user", content: "hello" }];

function translate(surface: ChatSurface, fields: object, headers: Record<string, string> = {}) {
  const body = { model: "m", messages: hello, ...fields };
  return surface.translate(body, { parameters: {}, headers: new Headers(headers), catalog: noModels });
}

const chatOf = (surface: ChatSurface, fields: object) => translate(surface, fields).chat;
const messageOf = (surface: ChatSurface, message: object) => chatOf(surface, { messages: [message] }).messages[0];

function violationsOf(act: () => unknown): readonly (readonly [field: string, rule: string | undefined])[] {
  try {
    act();
  } catch (error) {
    if (error instanceof GatewayError)
      return (error.facts.fields ?? []).map((violation) => [fieldText(violation), violation.rule] as const);
    throw error;
  }
  return [];
}

const fieldsWrong = (surface: ChatSurface, fields: object) =>
  violationsOf(() => translate(surface, fields)).map(([field]) => field);

/** Fields that only some APIs have, besides `everywhere`. */
const optionalFields: ReadonlyMap<ChatSurface, readonly string[]> = new Map([
  [openaiSurface, []],
  [
    cerebrasSurface,
    [
      ...["clear_thinking", "disable_reasoning", "min_completion_tokens", "min_tokens", "model_parameters"],
      ...["prediction", "reasoning_format"],
    ],
  ],
  [
    deepinfraSurface,
    ["chat_template_kwargs", "min_p", "top_k", "repetition_penalty", "reasoning", "continue_final_message"],
  ],
]);
const everywhere = [
  ...["frequency_penalty", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "n"],
  ...["parallel_tool_calls", "presence_penalty", "prompt_cache_key", "reasoning_effort", "response_format", "seed"],
  ...["service_tier", "stop", "stream", "stream_options", "temperature", "tool_choice", "tools", "top_logprobs"],
  ...["top_p", "user"],
];

describe.each(surfaces.map((surface) => [surface.name, surface] as const))("a body of %s", (_, surface) => {
  const fields = [...everywhere, ...(optionalFields.get(surface) ?? [])];

  it("treats a null field like an absent field", () => {
    const plain = translate(surface, {});
    fc.assert(
      fc.property(fc.subarray(fields), (some) => {
        const withNulls = translate(surface, Object.fromEntries(some.map((name) => [name, null])));
        expect(withNulls.chat).toEqual(plain.chat);
        expect(withNulls.streamed).toBe(plain.streamed);
      }),
    );
  });

  it("requires model and messages", () => {
    expect(
      violationsOf(() => surface.translate({}, { parameters: {}, headers: new Headers(), catalog: noModels })),
    ).toEqual([
      ["model", "missing"],
      ["messages", "missing"],
    ]);
  });

  it("reports all violations together", () => {
    expect(fieldsWrong(surface, { temperature: "hot", n: 1.5, messages: [{ role: "agent", content: "x" }] })).toEqual(
      expect.arrayContaining(["temperature", "n", "messages.0.role"]),
    );
  });

  it("keeps all digits of a 64-bit seed", () => {
    for (const seed of ["18446744073709551615", "-9223372036854775808", "7"]) {
      const body = parseBody(`{"model": "m", "messages": [{"role": "user", "content": "x"}], "seed": ${seed}}`, 100);
      const { chat } = surface.translate(body, { parameters: {}, headers: new Headers(), catalog: noModels });
      expect(chat.parameters?.seedValue.value).toBe(BigInt(seed));
    }
  });

  it("accepts stop as a string or a list", () => {
    expect(chatOf(surface, { stop: "END" }).parameters?.stopSequences).toEqual(["END"]);
    expect(chatOf(surface, { stop: ["a", "b"] }).parameters?.stopSequences).toEqual(["a", "b"]);
  });

  it("accepts both names of the output limit, but not two values", () => {
    expect(chatOf(surface, { max_tokens: 7 }).parameters?.maxOutputTokens).toBe(7);
    expect(chatOf(surface, { max_completion_tokens: 7, max_tokens: 7 }).parameters?.maxOutputTokens).toBe(7);
    expect(fieldsWrong(surface, { max_completion_tokens: 7, max_tokens: 8 })).toEqual(["max_tokens"]);
  });

  it("rejects stream_options without stream", () => {
    expect(fieldsWrong(surface, { stream_options: {} })).toEqual(["stream_options"]);
    expect(fieldsWrong(surface, { stream_options: {}, stream: true })).toEqual([]);
  });

  it("accepts only tools of the type function", () => {
    const named = { name: "f", description: "d" };
    expect(
      chatOf(surface, { tools: [{ type: "function", function: named }] }).tools.map(({ kind }) => kind.value),
    ).toMatchObject([named]);
    expect(fieldsWrong(surface, { tools: [{ type: "retrieval", function: named }] })).toEqual(["tools.0.type"]);
  });

  it("keeps the key order and all digits of a tool's schema", () => {
    const schema = '{"type":"object","z":{"maximum":18446744073709551615},"a":{"minimum":1}}';
    const body = parseBody(
      `{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":${schema}}}]}`,
      100,
    );
    const { chat } = surface.translate(body, { parameters: {}, headers: new Headers(), catalog: noModels });
    expect(chat.tools[0]?.kind.value).toMatchObject({ parametersJsonSchema: schema });
  });

  it("translates tool_choice", () => {
    const chosen = { type: "function", function: { name: "f" } };
    expect(chatOf(surface, { tool_choice: chosen }).toolChoice?.choice).toEqual({ case: "toolName", value: "f" });
    expect(chatOf(surface, { tool_choice: "required" }).toolChoice?.choice.case).toBe("mode");
    expect(fieldsWrong(surface, { tool_choice: "some" })).toEqual(["tool_choice"]);
  });

  it("translates allowed_tools in OpenAI's API only", () => {
    const allowed = (mode: string) => ({
      type: "allowed_tools",
      allowed_tools: { mode, tools: [{ type: "function", function: { name: "f" } }] },
    });
    if (surface !== openaiSurface) {
      expect(fieldsWrong(surface, { tool_choice: allowed("auto") })).toContain("tool_choice.type");
      return;
    }
    expect(chatOf(surface, { tool_choice: allowed("required") }).toolChoice?.choice).toMatchObject({
      case: "allowedTools",
      value: { mode: ToolChoiceMode.REQUIRED, toolNames: ["f"] },
    });
    expect(fieldsWrong(surface, { tool_choice: allowed("none") })).toEqual(["tool_choice.allowed_tools.mode"]);
  });

  it("translates JSON formats and rejects a schema without a name", () => {
    const format = (response_format: object) => chatOf(surface, { response_format }).outputFormat?.format;
    expect(format({ type: "json_object" })?.case).toBe("jsonObject");
    expect(
      format({ type: "json_schema", json_schema: { name: "n", schema: { type: "object" }, strict: true } }),
    ).toEqual({
      case: "jsonSchema",
      value: expect.objectContaining({ name: "n", schemaJson: '{"type":"object"}', strict: true }),
    });
    const nameless = { response_format: { type: "json_schema", json_schema: { schema: {} } } };
    expect(fieldsWrong(surface, nameless)).toEqual(["response_format.json_schema.name"]);
  });

  it("translates a conversation with tool calls", () => {
    const { messages } = chatOf(surface, {
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" },
          ],
        },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "c1", content: "done" },
      ],
    });
    expect(messages.map(({ role }) => role)).toEqual([Role.USER, Role.ASSISTANT, Role.TOOL]);
    expect(messages.map(({ parts }) => parts.map(({ kind }) => kind.case))).toEqual([
      ["text", "text"],
      ["toolCall"],
      ["toolResult"],
    ]);
  });

  it("rejects images in tool messages", () => {
    const image = [{ type: "image_url", image_url: { url: "https://x.test/a.png" } }];
    const messages = [{ role: "tool", tool_call_id: "c1", content: image }];
    expect(fieldsWrong(surface, { messages })).toEqual(["messages.0.content.0.type"]);
  });

  it("decodes image data URIs and keeps other image URLs", () => {
    const media = (url: string) =>
      messageOf(surface, { role: "user", content: [{ type: "image_url", image_url: { url, detail: "low" } }] })
        ?.parts[0];
    expect(media("data:image/png;base64,aGk=")?.kind.value).toMatchObject({
      source: { case: "data", value: Buffer.from("hi") },
      mediaType: "image/png",
      detail: MediaDetail.LOW,
    });
    expect(media("https://x.test/a.png")?.kind.value).toMatchObject({
      source: { case: "url", value: "https://x.test/a.png" },
    });
  });

  it("maps ChatRequest paths to body paths", () => {
    const { nameField } = translate(surface, {
      messages: [
        { role: "user", content: [{ type: "text", text: "a" }] },
        {
          role: "assistant",
          content: "b",
          tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "c1", content: "done" },
      ],
    });
    const limit = surface === deepinfraSurface ? "max_tokens" : "max_completion_tokens";
    const expected: Record<string, string> = {
      messages: "messages",
      "messages[0].role": "messages.0.role",
      "messages[0].parts": "messages.0.content",
      "messages[0].parts[0].media": "messages.0.content.0",
      "messages[1].parts[0]": "messages.1.content",
      "messages[1].parts[1].tool_call.id": "messages.1.tool_calls.0.id",
      "messages[1].parts[1].tool_call.arguments_json": "messages.1.tool_calls.0.function.arguments",
      "messages[2].parts[0].tool_result.tool_call_id": "messages.2.tool_call_id",
      "parameters.temperature": "temperature",
      "parameters.stop_sequences": "stop",
      "parameters.stop_sequences[1]": "stop.1",
      "parameters.max_output_tokens": limit,
      parameters: "top_logprobs",
      "tools[3].function.name": "tools.3.function.name",
      "tools[3].function.parameters_json_schema": "tools.3.function.parameters",
      "tool_choice.allowed_tools.mode": "tool_choice.allowed_tools.mode",
      "tool_choice.allowed_tools.tool_names[1]": "tool_choice.allowed_tools.tools.1.function.name",
      "output_format.json_schema.name": "response_format.json_schema.name",
      "output_format.json_schema.schema_json": "response_format.json_schema.schema",
      "reasoning.effort": "reasoning_effort",
      model: "model",
      account_id: "x-selected-account-id",
      user: "user",
    };
    expect(
      Object.fromEntries(Object.keys(expected).map((path) => [path, formatDotted(nameField(toPath(path)))])),
    ).toEqual(expected);
  });
});

describe("unknown properties", () => {
  const nested = {
    foo: 1,
    messages: [{ role: "user", content: [{ type: "text", text: "x", bar: 1 }], baz: 1 }],
    tools: [{ type: "function", function: { name: "f", qux: 1 } }],
  };

  it.each([openaiSurface, cerebrasSurface])("rejects unknown properties at every level: $name", (surface) => {
    const found = violationsOf(() => translate(surface, nested));
    // OpenAI's API passes unknown fields of the body on.
    const own = surface === openaiSurface ? [] : [["foo", "unknown_property"]];
    expect(found).toEqual(
      expect.arrayContaining([
        ...own,
        ["messages.0.content.0.bar", "unknown_property"],
        ["messages.0.baz", "unknown_property"],
        ["tools.0.function.qux", "unknown_property"],
      ]),
    );
    expect(found).toHaveLength(3 + own.length);
  });

  it("ignores unknown properties in DeepInfra's API", () => {
    expect(chatOf(deepinfraSurface, nested).tools).toHaveLength(1);
  });
});

describe("reasoning", () => {
  const effortOf = (surface: ChatSurface, fields: object) => chatOf(surface, fields).reasoning?.control.value;

  it("translates each field that disables reasoning to effort NONE", () => {
    expect(effortOf(deepinfraSurface, { reasoning: { enabled: false } })).toBe(ReasoningEffort.NONE);
    expect(effortOf(deepinfraSurface, { reasoning_effort: "none" })).toBe(ReasoningEffort.NONE);
    expect(effortOf(cerebrasSurface, { disable_reasoning: true })).toBe(ReasoningEffort.NONE);
    expect(effortOf(cerebrasSurface, { disable_reasoning: false })).toBeUndefined();
  });

  it("accepts equal and rejects conflicting reasoning fields", () => {
    expect(effortOf(deepinfraSurface, { reasoning: { effort: "low" }, reasoning_effort: "low" })).toBe(
      ReasoningEffort.LOW,
    );
    const wrong: readonly (readonly [ChatSurface, object, string])[] = [
      [deepinfraSurface, { reasoning: { effort: "low" }, reasoning_effort: "high" }, "reasoning.effort"],
      [deepinfraSurface, { reasoning: { enabled: false, effort: "low" } }, "reasoning.enabled"],
      [deepinfraSurface, { reasoning: { enabled: true }, reasoning_effort: "none" }, "reasoning.enabled"],
      [cerebrasSurface, { disable_reasoning: true, reasoning_effort: "low" }, "disable_reasoning"],
    ];
    for (const [surface, fields, field] of wrong) expect(fieldsWrong(surface, fields)).toEqual([field]);
  });

  it("accepts only the reasoning efforts of each API", () => {
    expect(effortOf(openaiSurface, { reasoning_effort: "max" })).toBe(ReasoningEffort.MAX);
    for (const surface of [cerebrasSurface, deepinfraSurface]) {
      expect(fieldsWrong(surface, { reasoning_effort: "max" })).toEqual(["reasoning_effort"]);
    }
  });

  it.each([
    ["parsed", ReasoningFormat.PARSED],
    ["text_parsed", ReasoningFormat.PARSED],
    ["raw", ReasoningFormat.RAW],
    ["hidden", ReasoningFormat.HIDDEN],
    ["none", undefined],
  ])("translates Cerebras' reasoning_format %s", (reasoning_format, format) => {
    expect(chatOf(cerebrasSurface, { reasoning_format }).reasoning?.format).toBe(format);
  });

  it("translates Cerebras' clear_thinking", () => {
    expect(chatOf(cerebrasSurface, { clear_thinking: false }).reasoning?.clearEarlierReasoning).toBe(false);
  });

  it("reads the reasoning of assistant messages by each API's field name", () => {
    const thought = (surface: ChatSurface, name: string) =>
      messageOf(surface, { role: "assistant", content: "x", [name]: "hm" })?.parts[0]?.kind;
    const expected = { case: "reasoning", value: expect.objectContaining({ text: "hm" }) };
    expect(thought(deepinfraSurface, "reasoning_content")).toEqual(expected);
    expect(thought(openaiSurface, "reasoning_content")).toEqual(expected);
    expect(thought(cerebrasSurface, "reasoning")).toEqual(expected);
    const messages = [{ role: "assistant", content: "x", reasoning_content: "hm" }];
    expect(violationsOf(() => translate(cerebrasSurface, { messages }))).toEqual([
      ["messages.0.reasoning_content", "unknown_property"],
    ]);
  });
});

describe("fields of OpenAI's API only", () => {
  it("passes OpenAI-only fields on unchanged", () => {
    const fields = { verbosity: "low", store: false, metadata: { team: "a" }, prompt_cache_retention: "24h" };
    expect(translate(openaiSurface, fields).extras?.fields).toEqual(fields);
  });

  it("rejects OpenAI fields that change the response in unsupported ways", () => {
    expect(fieldsWrong(openaiSurface, { functions: [], function_call: "auto" })).toEqual([
      "functions",
      "function_call",
    ]);
  });

  it("translates modalities and audio, and treats text alone as the default", () => {
    const audio = { voice: "alloy", format: "mp3" };
    expect(chatOf(openaiSurface, { modalities: ["text", "audio", "image"], audio })).toMatchObject({
      responseModalities: [Modality.TEXT, Modality.AUDIO, Modality.IMAGE],
      audioOutput: { voice: "alloy", mediaType: "audio/mpeg" },
    });
    for (const modalities of [["text"], [], null]) {
      expect(chatOf(openaiSurface, { modalities, audio: null }).responseModalities).toEqual([]);
    }
  });

  it("translates audio, files and video of a user message", () => {
    const data = Buffer.from("bytes").toString("base64");
    const bytes = { source: { case: "data", value: Buffer.from("bytes") } };
    const url = { source: { case: "url", value: "https://files.example/a" } };
    const parts: readonly (readonly [part: object, media: object])[] = [
      [
        { type: "input_audio", input_audio: { data, format: "flac" } },
        { ...bytes, mediaType: "audio/flac" },
      ],
      [
        { type: "input_audio", input_audio: { data, format: "m4a" } },
        { ...bytes, mediaType: "audio/mp4" },
      ],
      [{ type: "file", file: { file_id: "file-1" } }, { source: { case: "fileId", value: "file-1" } }],
      [
        { type: "file", file: { file_data: "https://files.example/a" } },
        { ...url, mediaType: "application/pdf" },
      ],
      [
        { type: "video_url", video_url: { url: "https://files.example/a" } },
        { ...url, mediaType: "video/mp4" },
      ],
      [
        { type: "video_url", video_url: { url: `data:video/webm;base64,${data}` } },
        { ...bytes, mediaType: "video/webm" },
      ],
      [
        { type: "audio_url", audio_url: { url: "https://files.example/a" } },
        { ...url, mediaType: "audio/wav" },
      ],
    ];
    const message = messageOf(openaiSurface, { role: "user", content: parts.map(([part]) => part) });
    expect(message?.parts.map(({ kind }) => kind.value)).toMatchObject(parts.map(([, media]) => media));
    for (const file of [{}, { filename: "a.pdf" }, { file_data: data, file_id: "file-1" }]) {
      const content = [{ type: "file", file }];
      expect(fieldsWrong(openaiSurface, { messages: [{ role: "user", content }] })).toEqual([
        "messages.0.content.0.file",
      ]);
    }
  });

  it("prefers safety_identifier over user as the end user", () => {
    expect(chatOf(openaiSurface, { user: "u" }).user).toBe("u");
    expect(chatOf(openaiSurface, { user: "u", safety_identifier: "u" }).providerOptions).toEqual({});
    const both = chatOf(openaiSurface, { user: "u", safety_identifier: "s" });
    expect([both.user, both.providerOptions.openai]).toEqual(["s", { user: "u" }]);
  });

  it("accepts the messages of its own responses in OpenAI's API", () => {
    const message = {
      ...{ role: "assistant", content: "x", refusal: null, annotations: [], audio: null, function_call: null },
      reasoning_content: "hm",
    };
    expect(messageOf(openaiSurface, message)?.parts.map(({ kind }) => kind.case)).toEqual(["reasoning", "text"]);
  });

  it("translates OpenAI's prompt_cache_breakpoint", () => {
    const mark = { mode: "explicit", ttl: "30m" };
    const content = [{ type: "text", text: "x", prompt_cache_breakpoint: mark }];
    expect(messageOf(openaiSurface, { role: "user", content })?.parts[0]?.cacheHint).toMatchObject({
      ttl: { seconds: 1800n },
    });
  });

  it("rejects a file in a data: URI with invalid base64", () => {
    const content = [{ type: "file", file: { file_data: "data:text/plain;base64,hello", filename: "a.txt" } }];
    expect(fieldsWrong(openaiSurface, { messages: [{ role: "user", content }] })).toEqual([
      "messages.0.content.0.file.file_data",
    ]);
  });

  it("accepts files and videos by URL, as OpenRouter does", () => {
    const content = [
      { type: "file", file: { file_data: "https://files.example/a.pdf", filename: "a.pdf" } },
      { type: "video_url", video_url: { url: "https://files.example/a.webm" } },
      { type: "video_url", video_url: { url: "data:video/mp4;base64,AAAA" } },
    ];
    expect(messageOf(openaiSurface, { role: "user", content })?.parts.map(({ kind }) => kind.value)).toMatchObject([
      {
        source: { case: "url", value: "https://files.example/a.pdf" },
        mediaType: "application/pdf",
        filename: "a.pdf",
      },
      { source: { case: "url", value: "https://files.example/a.webm" }, mediaType: "video/webm" },
      { source: { case: "data" }, mediaType: "video/mp4" },
    ]);
  });

  it("decodes files and audio in OpenAI's API", () => {
    const content = [
      { type: "file", file: { file_data: "data:application/pdf;base64,aGk=", filename: "a.pdf" } },
      { type: "input_audio", input_audio: { data: "aGk=", format: "mp3" } },
    ];
    const source = { case: "data", value: Buffer.from("hi") };
    expect(messageOf(openaiSurface, { role: "user", content })?.parts.map(({ kind }) => kind.value)).toMatchObject([
      { source, mediaType: "application/pdf", filename: "a.pdf" },
      { source, mediaType: "audio/mpeg" },
    ]);
    const wrong = [{ role: "user", content: [{ type: "input_audio", input_audio: { data: "!", format: "mp3" } }] }];
    expect(fieldsWrong(openaiSurface, { messages: wrong })).toEqual(["messages.0.content.0.input_audio.data"]);
  });
});

describe("fields of Cerebras' API only", () => {
  it("treats -1 as the maximum token count in Cerebras' API", () => {
    expect(chatOf(cerebrasSurface, { max_completion_tokens: -1 }).parameters?.maxOutputTokens).toBeUndefined();
    const { parameters, providerOptions } = chatOf(cerebrasSurface, { min_tokens: -1 });
    expect([parameters?.minOutputTokens, providerOptions]).toEqual([
      undefined,
      { cerebras: { min_completion_tokens: -1 } },
    ]);
    const bounded = chatOf(cerebrasSurface, { min_tokens: -1, max_completion_tokens: 9 });
    expect([bounded.parameters?.minOutputTokens, bounded.providerOptions]).toEqual([9, {}]);
  });

  it("reads Cerebras' queue_threshold header", () => {
    const { chat } = translate(cerebrasSurface, { service_tier: "flex" }, { queue_threshold: "500" });
    expect(chat.providerOptions).toEqual({ cerebras: { queue_threshold: 500 } });
    expect(chat.serviceTier).toBe("flex");
  });

  it("translates Cerebras' model_parameters", () => {
    expect(chatOf(cerebrasSurface, { model_parameters: { a: [1, { b: null }] } }).deploymentParameters).toEqual({
      a: [1, { b: null }],
    });
  });

  it("joins the text parts of Cerebras' prediction", () => {
    const content = [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ];
    expect(chatOf(cerebrasSurface, { prediction: { type: "content", content } }).prediction?.content).toBe("ab");
  });

  it("accepts Cerebras' short image part and the role developer", () => {
    const image = messageOf(cerebrasSurface, { role: "user", content: [{ type: "image", image: "https://x.test/a" }] });
    expect(image?.parts[0]?.kind.case).toBe("media");
    expect(messageOf(cerebrasSurface, { role: "developer", content: "x" })?.role).toBe(Role.DEVELOPER);
  });
});

describe("fields of DeepInfra's API only", () => {
  it("translates DeepInfra's sampling fields", () => {
    const { parameters, chatTemplateKwargs } = chatOf(deepinfraSurface, {
      ...{ min_p: 0.1, top_k: 5, repetition_penalty: 1.1 },
      chat_template_kwargs: { enable_thinking: false },
    });
    expect(parameters).toMatchObject({ minP: 0.1, topK: 5, repetitionPenalty: 1.1 });
    expect(chatTemplateKwargs).toEqual({ enable_thinking: false });
  });

  it("accepts the regex output format in DeepInfra's and OpenAI's API", () => {
    const regex = { type: "regex", regex: "[0-9]{3}" };
    for (const surface of [openaiSurface, deepinfraSurface]) {
      expect(chatOf(surface, { response_format: regex }).outputFormat?.format).toMatchObject({
        case: "regex",
        value: { pattern: "[0-9]{3}" },
      });
    }
    expect(fieldsWrong(cerebrasSurface, { response_format: regex })).toEqual(["response_format.type"]);
  });

  it("translates cache_control of DeepInfra messages, parts and tools", () => {
    const mark = { cache_control: { type: "ephemeral", ttl: "1h" } };
    const { messages, tools } = chatOf(deepinfraSurface, {
      messages: [
        { role: "system", content: "rules", cache_control: { type: "ephemeral" } },
        {
          role: "user",
          content: [
            { type: "text", text: "x", ...mark },
            { type: "text", text: "y" },
          ],
        },
      ],
      tools: [{ function: { name: "f" }, ...mark }],
    });
    const hour = { ttl: { seconds: 3600n } };
    expect(messages[0]?.parts[0]?.cacheHint).toMatchObject({});
    expect(messages[1]?.parts.map(({ cacheHint }) => cacheHint)).toMatchObject([hour, undefined]);
    expect(tools[0]?.cacheHint).toMatchObject(hour);
  });

  it("defaults to wav audio and image detail auto in DeepInfra's API", () => {
    const content = [
      { type: "input_audio", input_audio: { data: "aGk=" } },
      { type: "image_url", image_url: { url: "https://x.test/a.png" } },
    ];
    expect(messageOf(deepinfraSurface, { role: "user", content })?.parts.map(({ kind }) => kind.value)).toMatchObject([
      { mediaType: "audio/wav" },
      { detail: MediaDetail.AUTO },
    ]);
    const ogg = [{ role: "user", content: [{ type: "input_audio", input_audio: { data: "aGk=", format: "ogg" } }] }];
    expect(fieldsWrong(deepinfraSurface, { messages: ogg })).toEqual(["messages.0.content.0.input_audio.format"]);
  });

  it("rejects images outside user messages in DeepInfra's API", () => {
    const image = [{ type: "image_url", image_url: { url: "https://x.test/a.png" } }];
    for (const role of ["system", "assistant"]) {
      expect(fieldsWrong(deepinfraSurface, { messages: [{ role, content: image }] })).toEqual([
        "messages.0.content.0.type",
      ]);
    }
  });

  it("translates DeepInfra's continue_final_message", () => {
    expect(chatOf(deepinfraSurface, { continue_final_message: true }).continueLastMessage).toBe(true);
  });
});

it("translates bodies to a ChatRequest that has a JSON form", () => {
  for (const surface of surfaces) expect(() => toJson(ChatRequestSchema, chatOf(surface, {}))).not.toThrow();
});

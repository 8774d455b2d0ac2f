import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { formatPath } from "../../../src/field-path.ts";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { checkSupport } from "../../../src/providers/bedrock/adaptations.ts";
import { bedrockModels } from "../../../src/providers/bedrock/models.ts";
import { toRequest } from "../../../src/providers/bedrock/request.ts";
import type { ConverseBody } from "../../../src/providers/bedrock/wire.ts";
import { stringifyExact } from "../../../src/providers/kit/exact-json.ts";
import { fieldsOf } from "../../support/paths.ts";
import { applyAdaptations } from "../../support/planning.ts";
import { functionTool } from "../../support/tools.ts";
import { model, sonnet } from "./harness.ts";

type Init = Exclude<MessageInitShape<typeof ChatRequestSchema>, ChatRequest>;

const text = (value: string) => ({ kind: { case: "text" as const, value } });
const effort = (value: ReasoningEffort, format = ReasoningFormat.UNSPECIFIED) => ({
  reasoning: { control: { case: "effort" as const, value }, format },
});
const budget = (value: number) => ({ reasoning: { control: { case: "budgetTokens" as const, value } } });
const choose = (value: ToolChoiceMode) => ({ toolChoice: { choice: { case: "mode" as const, value } } });
const weather = { tools: [functionTool({ name: "weather" })] };
const called = {
  messages: [
    { role: Role.USER, parts: [text("hello")] },
    {
      role: Role.ASSISTANT,
      parts: [{ kind: { case: "toolCall" as const, value: { id: "a", name: "weather", argumentsJson: "{}" } } }],
    },
    {
      role: Role.TOOL,
      parts: [{ kind: { case: "toolResult" as const, value: { toolCallId: "a", isError: true } } }],
    },
  ],
};

function asked(more: Init): ChatRequest {
  return create(ChatRequestSchema, { messages: [{ role: Role.USER, parts: [text("hello")] }], ...more });
}

/** Returns the request body and the adaptations. */
function translate(
  providerModel: string,
  more: Init,
): { readonly body: ConverseBody; readonly warned: readonly string[] } {
  const target = model(providerModel);
  const adaptations = checkSupport(asked(more), target);
  const { request } = applyAdaptations(asked(more), adaptations);
  return {
    body: JSON.parse(stringifyExact(toRequest(request, target, "bedrock"))),
    warned: adaptations.map(({ kind, field }) => `${kind} ${formatPath(field)}`),
  };
}

function refusals(providerModel: string, more: Init): readonly string[] {
  return fieldsOf(checkSupport(asked(more), model(providerModel)).filter(({ kind }) => kind === "REJECTED"));
}

describe("Bedrock's reasoning fields", () => {
  const { NONE, LOW, HIGH, XHIGH } = ReasoningEffort;
  it.each<[string, Init, object | undefined, readonly string[]]>([
    [sonnet, budget(5000), { thinking: { type: "enabled", budget_tokens: 5000 } }, []],
    [
      sonnet,
      { ...budget(5000), parameters: { maxOutputTokens: 4000 } },
      { thinking: { type: "enabled", budget_tokens: 3999 } },
      ["ADJUSTED reasoning.budget_tokens"],
    ],
    [
      sonnet,
      { ...effort(LOW), parameters: { maxOutputTokens: 10_000 } },
      { thinking: { type: "enabled", budget_tokens: 2000 } },
      ["EMULATED reasoning.effort"],
    ],
    [
      sonnet,
      { ...effort(LOW), parameters: { maxOutputTokens: 500 } },
      undefined,
      ["UNSUPPORTED_PARAMETER reasoning.effort"],
    ],
    [sonnet, effort(NONE), { thinking: { type: "disabled" } }, []],
    [
      "us.anthropic.claude-opus-5",
      effort(XHIGH, ReasoningFormat.HIDDEN),
      { thinking: { type: "adaptive", display: "omitted" }, output_config: { effort: "xhigh" } },
      [],
    ],
    [
      "us.amazon.nova-2-lite-v1:0",
      effort(LOW),
      { reasoningConfig: { type: "enabled", maxReasoningEffort: "low" } },
      [],
    ],
    ["us.amazon.nova-2-lite-v1:0", effort(NONE), { reasoningConfig: { type: "disabled" } }, []],
    ["openai.gpt-oss-120b-1:0", effort(HIGH), { reasoning_effort: "high" }, []],
    ["openai.gpt-5.4", effort(NONE), { reasoning: { effort: "none" } }, []],
    ["us.deepseek.r1-v1:0", effort(HIGH), undefined, ["UNSUPPORTED_PARAMETER reasoning.effort"]],
    ["us.deepseek.r1-v1:0", effort(NONE), undefined, []],
    ["openai.gpt-oss-120b-1:0", budget(5000), undefined, ["UNSUPPORTED_PARAMETER reasoning.budget_tokens"]],
  ])("sends %s its reasoning fields for %o", (providerModel, more, fields, warned) => {
    const translated = translate(providerModel, more);
    expect(translated.body.additionalModelRequestFields).toEqual(fields);
    expect(translated.warned).toEqual(warned);
  });

  it("rejects an unsupported effort and lists the supported ones", () => {
    expect(refusals("us.anthropic.claude-opus-5-5", effort(NONE))).toEqual(["reasoning.effort"]);
    expect(refusals("us.anthropic.claude-sonnet-4-6-v1", effort(XHIGH))).toEqual(["reasoning.effort"]);
    expect(refusals("openai.gpt-oss-20b-1:0", effort(NONE))).toEqual(["reasoning.effort"]);
  });

  it("omits max_output_tokens for Nova with the effort HIGH", () => {
    const { body, warned } = translate("us.amazon.nova-2-lite-v1:0", {
      ...effort(HIGH),
      parameters: { maxOutputTokens: 100 },
    });
    expect(body.inferenceConfig).toBeUndefined();
    expect(warned).toEqual(["UNSUPPORTED_PARAMETER parameters.max_output_tokens"]);
  });
});

describe("sampling", () => {
  const parameters = { temperature: 1, topP: 0.9, topK: 5, stopSequences: ["END"] };
  it.each<[string, object | undefined, object | undefined]>([
    [sonnet, { temperature: 1, stopSequences: ["END"] }, { top_k: 5 }],
    ["us.anthropic.claude-sonnet-5", { stopSequences: ["END"] }, undefined],
    ["us.amazon.nova-pro-v1:0", { temperature: 1, topP: 0.9, stopSequences: ["END"] }, undefined],
    ["openai.gpt-oss-120b-1:0", { temperature: 1, topP: 0.9 }, undefined],
    ["openai.gpt-5.4", undefined, undefined],
  ])("sends %s only the sampling parameters that it supports", (providerModel, inferenceConfig, additional) => {
    const { body } = translate(providerModel, { parameters });
    expect(body.inferenceConfig).toEqual(inferenceConfig);
    expect(body.additionalModelRequestFields).toEqual(additional);
  });

  it("clamps the temperature to Converse's maximum", () => {
    const { body, warned } = translate("us.amazon.nova-pro-v1:0", { parameters: { temperature: 1.5 } });
    expect(body.inferenceConfig).toEqual({ temperature: 1 });
    expect(warned).toEqual(["ADJUSTED parameters.temperature"]);
  });
});

describe("tools", () => {
  const { NONE, REQUIRED } = ToolChoiceMode;
  const named = { toolChoice: { choice: { case: "toolName" as const, value: "weather" } } };

  it("converts the tool choice to Converse's format", () => {
    expect(translate(sonnet, { ...weather, ...choose(REQUIRED) }).body.toolConfig?.toolChoice).toEqual({ any: {} });
    expect(translate(sonnet, { ...weather, ...named }).body.toolConfig?.toolChoice).toEqual({
      tool: { name: "weather" },
    });
    expect(translate(sonnet, weather).body.toolConfig).not.toHaveProperty("toolChoice");
  });

  it("rejects forced tool calls for models that do not support them", () => {
    expect(refusals("us.anthropic.claude-opus-5-5", { ...weather, ...choose(REQUIRED) })).toEqual(["tool_choice.mode"]);
    expect(refusals("us.meta.llama3-3-70b-instruct-v1:0", { ...weather, ...named })).toEqual(["tool_choice.tool_name"]);
  });

  it("omits the tools for tool_choice none, which Converse does not have", () => {
    const { body, warned } = translate("us.amazon.nova-pro-v1:0", { ...weather, ...choose(NONE) });
    expect(body).not.toHaveProperty("toolConfig");
    expect(warned).toEqual(["EMULATED tool_choice.mode"]);
    expect(refusals("us.amazon.nova-pro-v1:0", { ...weather, ...called, ...choose(NONE) })).toEqual([
      "tool_choice.mode",
    ]);
  });

  it("sends Claude's own tool choice for no calls or one call at a time", () => {
    const none = translate(sonnet, { ...weather, ...called, ...choose(NONE) });
    expect(none.body.toolConfig?.tools).toHaveLength(1);
    expect(none.body.additionalModelRequestFields).toEqual({ tool_choice: { type: "none" } });
    expect(none.warned).toEqual([]);
    const one = translate(sonnet, { ...weather, ...named, parallelToolCalls: false });
    expect(one.body.toolConfig).not.toHaveProperty("toolChoice");
    expect(one.body.additionalModelRequestFields).toEqual({
      tool_choice: { type: "tool", name: "weather", disable_parallel_tool_use: true },
    });
  });

  it("sends the names of called tools if the request has no tools", () => {
    const { body, warned } = translate(sonnet, called);
    expect(body.toolConfig).toEqual({
      tools: [{ toolSpec: { name: "weather", inputSchema: { json: { type: "object", properties: {} } } } }],
    });
    expect(body.additionalModelRequestFields).toEqual({ tool_choice: { type: "none" } });
    expect(warned).toEqual(["EMULATED tools"]);
    expect(refusals("us.amazon.nova-pro-v1:0", called)).toEqual(["tools"]);
  });

  it("omits strict for models for which Bedrock rejects it, with a warning", () => {
    const strict = { tools: [functionTool({ name: "weather", strict: true })] };
    const { body, warned } = translate("us.anthropic.claude-opus-5", strict);
    expect(JSON.stringify(body)).not.toContain("strict");
    expect(warned).toEqual(["EMULATED tools"]);
  });

  it("preserves key order and digits in tool arguments and schemas", () => {
    const json = '{"10":1,"2":12345678901234567890,"a":1.0}';
    const messages = [
      ...called.messages.slice(0, 1),
      {
        role: Role.ASSISTANT,
        parts: [{ kind: { case: "toolCall" as const, value: { id: "a", name: "weather", argumentsJson: json } } }],
      },
    ];
    const request = asked({ messages, tools: [functionTool({ name: "weather", parametersJsonSchema: json })] });
    const sent = stringifyExact(toRequest(request, model(), "bedrock"));
    expect(sent).toContain(`"input":${json}`);
    expect(sent).toContain(`"inputSchema":{"json":${json}}`);
  });
});

describe("provider options", () => {
  it("merges provider options into the request body", () => {
    const { body } = translate(sonnet, {
      parameters: { maxOutputTokens: 10, temperature: 0.5 },
      providerOptions: {
        bedrock: { inferenceConfig: { new: 1 }, performanceConfig: { latency: "optimized" } },
      },
    });
    expect(body.inferenceConfig).toEqual({ maxTokens: 10, temperature: 0.5, new: 1 });
    expect(body).toHaveProperty("performanceConfig.latency", "optimized");
  });
});

describe("messages", () => {
  it("merges messages of one role and moves system text to the front", () => {
    const { body, warned } = translate(sonnet, {
      messages: [
        { role: Role.USER, parts: [text("a")] },
        { role: Role.USER, parts: [text("")] },
        { role: Role.SYSTEM, parts: [text("Be brief.")] },
        { role: Role.USER, parts: [text("b")] },
      ],
    });
    expect(body.system).toEqual([{ text: "Be brief." }]);
    expect(body.messages).toEqual([{ role: "user", content: [{ text: "a" }, { text: "b" }] }]);
    expect(warned).toEqual(["EMULATED messages[2]"]);
  });

  it("makes unique document names of characters that Bedrock accepts", () => {
    const document = (filename: string) => ({
      kind: {
        case: "media" as const,
        value: { source: { case: "data" as const, value: new Uint8Array([1]) }, mediaType: "text/plain", filename },
      },
    });
    const { body } = translate(sonnet, {
      messages: [
        { role: Role.USER, parts: [document("a.b_c.txt"), document("a.b_c.md"), document(""), document("été.txt")] },
      ],
    });
    const names = body.messages[0]?.content.map((block) => ("document" in block ? block.document.name : ""));
    expect(names).toEqual(["a b c", "a b c (2)", "document", "t"]);
  });

  it("accepts media with a media type from S3 and rejects other URLs", () => {
    const image = (value: string) => ({
      messages: [
        {
          role: Role.USER,
          parts: [
            {
              kind: {
                case: "media" as const,
                value: { source: { case: "url" as const, value }, mediaType: "image/png" },
              },
            },
          ],
        },
      ],
    });
    expect(translate("us.amazon.nova-pro-v1:0", image("s3://bucket/a.png")).body.messages[0]?.content).toEqual([
      { image: { format: "png", source: { s3Location: { uri: "s3://bucket/a.png" } } } },
    ]);
    for (const url of ["https://example.com/a.png", "file:///a.png", "data:image/png;base64,AA=="]) {
      expect(refusals(sonnet, image(url))).toEqual(["messages[0].parts[0].media"]);
    }
  });

  it("adds an instruction for JSON mode to the system text", () => {
    const { body } = translate(sonnet, { outputFormat: { format: { case: "jsonObject", value: {} } } });
    expect(JSON.stringify(body.system)).toContain("JSON object");
    expect(body).not.toHaveProperty("outputConfig");
  });

  it("omits reasoning before the last user message on request", () => {
    const thought = {
      kind: { case: "reasoning" as const, value: { text: "Hm." } },
      providerState: { provider: "bedrock", model: sonnet, data: Buffer.from("sig") },
    };
    const messages = [
      { role: Role.USER, parts: [text("a")] },
      { role: Role.ASSISTANT, parts: [thought, text("b")] },
      { role: Role.USER, parts: [text("c")] },
      { role: Role.ASSISTANT, parts: [thought, text("d")] },
    ];
    const { body } = translate(sonnet, { messages, reasoning: { clearEarlierReasoning: true } });
    expect(body.messages.map(({ content }) => content.length)).toEqual([1, 1, 1, 2]);
  });
});

describe("Bedrock's structured outputs", () => {
  const schema = (schemaJson: string) => ({
    outputFormat: { format: { case: "jsonSchema" as const, value: { name: "answer", schemaJson } } },
  });
  const referring = '{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"type":"string"}}}';

  it.each([
    "us.anthropic.claude-sonnet-4-6",
    "anthropic.claude-haiku-4-5-20251001-v1:0",
    "eu.anthropic.claude-opus-4-6-v1",
    "us.anthropic.claude-opus-4-1-20250805-v1:0",
    "openai.gpt-oss-120b-1:0",
    "qwen.qwen4-480b-v1:0",
    "mistral.mistral-large-3-675b-instruct",
    "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc",
  ])("send the schema to %s unchanged, also with $ref", (name) => {
    expect(translate(name, schema(referring))).toMatchObject({
      warned: [],
      body: { outputConfig: { textFormat: { structure: { jsonSchema: { schema: referring } } } } },
    });
  });

  it.each([
    "us.anthropic.claude-opus-4-7",
    "us.anthropic.claude-opus-7",
    "us.anthropic.claude-sonnet-4-20250514-v1:0",
    "us.amazon.nova-pro-v1:0",
    "us.amazon.nova-3-pro-v1:0",
    "us.meta.llama4-scout-17b-instruct-v1:0",
    "us.mistral.pixtral-large-2502-v1:0",
  ])("are not requested of %s, whose schema Dragoman emulates", (name) => {
    expect(refusals(name, schema(referring))).toEqual(["output_format.json_schema"]);
  });

  it("are a capability of the listed models that support them", () => {
    const listed = bedrockModels.filter(({ capabilities }) => capabilities?.jsonSchema).map((one) => one.providerModel);
    expect(listed).toEqual([
      "us.anthropic.claude-opus-4-6-v1",
      "us.anthropic.claude-opus-4-5-20251101-v1:0",
      "us.anthropic.claude-sonnet-4-6",
      "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
      "us.anthropic.claude-haiku-4-5-20251001-v1:0",
      "openai.gpt-oss-120b-1:0",
      "openai.gpt-oss-20b-1:0",
    ]);
  });
});

describe("the rules of newer models on Bedrock", () => {
  const { LOW } = ReasoningEffort;
  it.each(["us.amazon.nova-3-pro-v1:0", "amazon.nova-ultra-v1:0"])("let %s reason as Nova 2 does", (name) => {
    const reasoningConfig = { type: "enabled", maxReasoningEffort: "low" };
    expect(translate(name, effort(LOW)).body.additionalModelRequestFields).toEqual({ reasoningConfig });
  });

  it("do not let the first Nova models reason", () => {
    expect(translate("us.amazon.nova-pro-v1:0", effort(LOW)).warned).toEqual([
      "UNSUPPORTED_PARAMETER reasoning.effort",
    ]);
  });

  it("force tools together with adaptive thinking, but not with a budget", () => {
    const forced = { ...weather, ...choose(ToolChoiceMode.REQUIRED) };
    for (const name of ["us.anthropic.claude-opus-4-6-v1", "us.anthropic.claude-sonnet-5"]) {
      expect(translate(name, { ...forced, ...effort(LOW) })).toMatchObject({
        warned: [],
        body: {
          toolConfig: { toolChoice: { any: {} } },
          additionalModelRequestFields: { thinking: { type: "adaptive" } },
        },
      });
    }
    for (const name of ["us.anthropic.claude-opus-4-6-v1", sonnet, "us.anthropic.claude-3-7-sonnet-20250219-v1:0"]) {
      expect(refusals(name, { ...forced, ...budget(2000) })).toEqual(["tool_choice.mode"]);
    }
    expect(refusals(sonnet, { ...forced, ...effort(LOW) })).toEqual(["tool_choice.mode"]);
  });
});

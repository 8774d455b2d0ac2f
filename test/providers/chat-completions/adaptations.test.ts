import { describe, expect, it } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import { formatPath } from "../../../src/field-path.ts";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { applyAdaptations } from "../../support/planning.ts";
import { functionTool } from "../../support/tools.ts";
import { adapter, model, request } from "./harness.ts";

/** Returns the adaptations as `KIND field`. */
function limits(fields: Parameters<typeof request>[0], { provider = "openai", providerModel = "gpt-4o" } = {}) {
  const asked = request(fields);
  const adaptations = adapter("http://127.0.0.1:9/v1", {}, provider).checkSupport(asked, model(providerModel));
  // Check that the adaptations can be applied: only a rejection may throw.
  try {
    applyAdaptations(asked, adaptations);
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
  }
  return adaptations.map(({ kind, field }) => `${kind} ${formatPath(field)}`);
}

it.each([
  "gpt-35-turbo",
  "gpt-35-turbo-16k",
  "gpt-41-mini",
  "GPT-4o",
])("applies no rules of reasoning models to %s, as Azure and operators write it", (providerModel) => {
  expect(limits({ parameters: sampling, tools: [functionTool({ name: "look" })] }, { providerModel })).toEqual([]);
});

it.each(["GPT-5.2", "O3-Mini"])("applies the rules of reasoning models to %s", (providerModel) => {
  expect(limits({ parameters: { logitBias: { 1: 1 } } }, { providerModel })).toEqual([
    "UNSUPPORTED_PARAMETER parameters.logit_bias",
  ]);
});

const effort = (value: ReasoningEffort) => ({ control: { case: "effort" as const, value } });
const { NONE, LOW, HIGH, MINIMAL } = ReasoningEffort;
const sampling = { temperature: 0.5, topP: 0.5, logprobs: true, topLogprobs: 2 };
const droppedSampling = [
  "UNSUPPORTED_PARAMETER parameters.temperature",
  "UNSUPPORTED_PARAMETER parameters.top_p",
  "UNSUPPORTED_PARAMETER parameters.logprobs",
  "UNSUPPORTED_PARAMETER parameters.top_logprobs",
];

describe("checkSupport for OpenAI", () => {
  it("reports nothing for fields that OpenAI supports", () => {
    expect(
      limits({
        parameters: { ...sampling, n: 2, seedValue: { case: "seed", value: 1n }, logitBias: { 1: 1 } },
        user: "u",
      }),
    ).toEqual([]);
  });

  it("drops sampling fields of open models, unless the value has no effect", () => {
    const parameters = { topK: 40, minP: 0.1, repetitionPenalty: 1.1, minOutputTokens: 1 };
    expect(limits({ parameters })).toEqual([
      "UNSUPPORTED_PARAMETER parameters.min_output_tokens",
      "UNSUPPORTED_PARAMETER parameters.top_k",
      "UNSUPPORTED_PARAMETER parameters.min_p",
      "UNSUPPORTED_PARAMETER parameters.repetition_penalty",
    ]);
    expect(limits({ parameters: { topK: -1, minP: 0, repetitionPenalty: 1, minOutputTokens: 0 } })).toEqual([]);
  });

  it("reports templates, raw reasoning and a long user", () => {
    expect(limits({ chatTemplate: "x", chatTemplateKwargs: {} })).toEqual([
      "UNSUPPORTED_PARAMETER chat_template",
      "UNSUPPORTED_PARAMETER chat_template_kwargs",
    ]);
    expect(limits({ reasoning: { format: ReasoningFormat.RAW } })).toEqual(["UNSUPPORTED_PARAMETER reasoning.format"]);
    expect(limits({ user: "u".repeat(129) })).toEqual(["UNSUPPORTED_PARAMETER user"]);
  });

  it("drops reasoning fields for models that do not reason", () => {
    expect(limits({ reasoning: effort(LOW) })).toEqual(["UNSUPPORTED_PARAMETER reasoning.effort"]);
    expect(limits({ reasoning: { control: { case: "budgetTokens", value: 9 } } })).toEqual([
      "UNSUPPORTED_PARAMETER reasoning.budget_tokens",
    ]);
  });

  it.each([
    ["o3", LOW, droppedSampling],
    ["gpt-5", LOW, droppedSampling],
    ["gpt-5-mini-2025-08-07", MINIMAL, droppedSampling],
    ["gpt-5.1", LOW, droppedSampling],
    ["gpt-5.1", NONE, []],
    ["gpt-5.4", NONE, []],
    ["gpt-5.6", NONE, []],
    ["gpt-6", LOW, droppedSampling],
    ["gpt-6-sol", NONE, []],
    ["gpt-6.1-terra", NONE, []],
    ["ft:o4-mini:acme::1", HIGH, droppedSampling],
  ])("drops sampling fields for %s depending on the effort %i", (providerModel, value, expected) => {
    expect(limits({ parameters: sampling, reasoning: effort(value) }, { providerModel })).toEqual(expected);
  });

  it("drops penalties, logit bias and stops for reasoning models that reject them", () => {
    const parameters = { presencePenalty: 1, frequencyPenalty: 1, logitBias: { 1: 1 }, stopSequences: ["a"] };
    const penalties = [
      "UNSUPPORTED_PARAMETER parameters.presence_penalty",
      "UNSUPPORTED_PARAMETER parameters.frequency_penalty",
      "UNSUPPORTED_PARAMETER parameters.logit_bias",
    ];
    expect(limits({ parameters }, { providerModel: "gpt-5.1" })).toEqual(penalties);
    expect(limits({ parameters }, { providerModel: "o3" })).toEqual([
      "UNSUPPORTED_PARAMETER parameters.stop_sequences",
      ...penalties,
    ]);
    expect(limits({ parameters }, { providerModel: "gpt-5-chat-latest" })).toEqual([]);
  });

  it("rejects an effort that the model does not support", () => {
    expect(limits({ reasoning: effort(NONE) }, { providerModel: "o3" })).toEqual(["REJECTED reasoning.effort"]);
    expect(limits({ reasoning: effort(MINIMAL) }, { providerModel: "gpt-5.1" })).toEqual(["REJECTED reasoning.effort"]);
    expect(limits({ reasoning: effort(MINIMAL) }, { providerModel: "gpt-5" })).toEqual([]);
  });

  it.each([
    "gpt-5.5",
    "gpt-5.5-2026-04-23",
    "gpt-5.6",
    "gpt-5.6-terra",
    "gpt-5.7",
    "gpt-5.12-mini",
    "gpt-6",
    "gpt-6-sol",
    "gpt-6-luna",
    "gpt-6.1-terra",
    "gpt-6.4-nova",
    "gpt-7",
    "ft:gpt-5.7:acme::1",
  ])("sets effort none for %s with tools", (providerModel) => {
    const tools = [functionTool({ name: "f" })];
    expect(limits({ tools, reasoning: effort(HIGH) }, { providerModel })).toEqual(["ADJUSTED reasoning.effort"]);
    expect(limits({ tools }, { providerModel })).toEqual(["EMULATED reasoning.effort"]);
    expect(limits({ tools, reasoning: effort(NONE) }, { providerModel })).toEqual([]);
    expect(limits({ reasoning: effort(HIGH) }, { providerModel })).toEqual([]);
  });

  it.each([
    "gpt-5.4",
    "gpt-5.4-mini-2026-03-17",
  ])("sets effort none for %s with tools and an effort, since its default is none", (providerModel) => {
    const tools = [functionTool({ name: "f" })];
    expect(limits({ tools, reasoning: effort(HIGH) }, { providerModel })).toEqual(["ADJUSTED reasoning.effort"]);
    expect(limits({ tools }, { providerModel })).toEqual([]);
  });

  it.each(["gpt-5", "gpt-5.1", "gpt-5.2", "o3", "o5"])("keeps the effort of %s with tools", (providerModel) => {
    const tools = [functionTool({ name: "f" })];
    expect(limits({ tools, reasoning: effort(HIGH) }, { providerModel })).toEqual([]);
  });

  it.each(["gpt-6-astra", "gpt-6.1-sol", "gpt-7-astra"])("rejects tools for %s, which has no effort none", (name) => {
    const tools = [functionTool({ name: "f" })];
    expect(limits({ tools }, { providerModel: name })).toEqual(["REJECTED tools"]);
    expect(limits({ reasoning: effort(NONE) }, { providerModel: name })).toEqual(["REJECTED reasoning.effort"]);
    expect(limits({ reasoning: effort(HIGH) }, { providerModel: name })).toEqual([]);
  });

  it.each([
    ["o5", ["UNSUPPORTED_PARAMETER parameters.stop_sequences"]],
    ["o4-mini-2025-04-16", ["UNSUPPORTED_PARAMETER parameters.stop_sequences"]],
    ["o3-mini", []],
    ["gpt-9", []],
  ])("drops stop sequences for %s as for the newest known model of its family", (providerModel, expected) => {
    expect(limits({ parameters: { stopSequences: ["a"] } }, { providerModel })).toEqual(expected);
  });

  it("rejects Responses API models, drops the temperature of search models", () => {
    for (const name of ["gpt-5-pro", "gpt-5-codex", "gpt-5.1-codex-mini", "gpt-5.3-codex", "gpt-5.2-pro-2025-12-11"]) {
      expect(limits({}, { providerModel: name })).toEqual(["REJECTED model"]);
    }
    // OpenAI answers these names with model_not_found.
    for (const name of ["gpt-5.2-proo", "gpt-5-codexx", "gpt-5-pro-max"]) {
      expect(limits({}, { providerModel: name })).toEqual([]);
    }
    const parameters = { temperature: 0.2 };
    expect(limits({ parameters }, { providerModel: "gpt-4o-mini-search-preview" })).toEqual([
      "UNSUPPORTED_PARAMETER parameters.temperature",
    ]);
    expect(limits({ parameters }, { provider: "azure-openai", providerModel: "gpt-5-pro" })).toEqual([]);
  });

  it("rejects regex output, unsupported media, and images in tool results", () => {
    expect(limits({ outputFormat: { format: { case: "regex", value: { pattern: "a" } } } })).toEqual([
      "REJECTED output_format.regex",
    ]);
    const media = (mediaType: string, url = "") => ({
      kind: {
        case: "media" as const,
        value: {
          mediaType,
          source: url ? { case: "url" as const, value: url } : { case: "data" as const, value: Uint8Array.of(1) },
        },
      },
    });
    const user = [media("video/mp4"), media("audio/wav", "https://a/b.wav"), media("image/png", "file:///etc/passwd")];
    expect(limits({ messages: [{ role: Role.USER, parts: user }] })).toEqual([
      "REJECTED messages[0].parts[0].media",
      "REJECTED messages[0].parts[1].media",
      "REJECTED messages[0].parts[2].media",
    ]);
    const result = { case: "toolResult" as const, value: { toolCallId: "a", parts: [media("image/png")] } };
    expect(limits({ messages: [{ role: Role.TOOL, parts: [{ kind: result }] }] })).toEqual([
      "REJECTED messages[0].parts[0].tool_result.parts[0].media",
    ]);
  });

  it("drops cache hints", () => {
    expect(limits({ tools: [functionTool({ name: "f", cacheHint: {} })] })).toEqual(["EMULATED tools[0].cache_hint"]);
  });

  it("reports dropped reasoning of earlier turns and names on tool messages", () => {
    const thought = { kind: { case: "reasoning" as const, value: { text: "Hm." } } };
    const result = { case: "toolResult" as const, value: { toolCallId: "a" } };
    const messages = [
      { role: Role.ASSISTANT, name: "ann", parts: [thought] },
      { role: Role.TOOL, name: "tool", parts: [{ kind: result }] },
    ];
    expect(limits({ messages })).toEqual(["EMULATED messages[1].name", "EMULATED messages[0].parts[0].reasoning"]);
    expect(limits({ messages }, { provider: "deepinfra" })).toEqual(["EMULATED messages[1].name"]);
  });
});

describe("checkSupport for other servers", () => {
  it("reports what Ollama does not support", () => {
    const asked = {
      parameters: { topK: 1, n: 2, logitBias: { 1: 1 } },
      tools: [functionTool({ name: "f" })],
      parallelToolCalls: false,
      user: "u",
      serviceTier: "auto",
      promptCacheKey: "k",
      toolChoice: { choice: { case: "toolName" as const, value: "f" } },
    };
    expect(limits(asked, { provider: "ollama" })).toEqual([
      "UNSUPPORTED_PARAMETER parameters.top_k",
      "UNSUPPORTED_PARAMETER parameters.logit_bias",
      "UNSUPPORTED_PARAMETER parallel_tool_calls",
      "UNSUPPORTED_PARAMETER service_tier",
      "UNSUPPORTED_PARAMETER prompt_cache_key",
      "UNSUPPORTED_PARAMETER user",
      "REJECTED tool_choice.tool_name",
    ]);
    const must = { choice: { case: "mode" as const, value: ToolChoiceMode.REQUIRED } };
    expect(limits({ toolChoice: must }, { provider: "ollama" })).toEqual(["REJECTED tool_choice.mode"]);
  });

  it("rejects a named tool choice for llama.cpp, but not a required one", () => {
    const named = { choice: { case: "toolName" as const, value: "f" } };
    const must = { choice: { case: "mode" as const, value: ToolChoiceMode.REQUIRED } };
    expect(limits({ toolChoice: named }, { provider: "llamacpp" })).toEqual(["REJECTED tool_choice.tool_name"]);
    expect(limits({ toolChoice: must }, { provider: "llamacpp" })).toEqual([]);
  });

  it("ignores OpenAI's model rules for other servers", () => {
    const asked = { parameters: { temperature: 0.5 }, reasoning: effort(LOW) };
    expect(limits(asked, { provider: "vllm", providerModel: "o3" })).toEqual([]);
  });
});

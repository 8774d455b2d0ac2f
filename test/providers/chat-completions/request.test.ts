import { describe, expect, it } from "vitest";
import { MediaDetail } from "../../../src/gen/dragoman/v1/media_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ReasoningEffort } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { applyAdaptations } from "../../support/planning.ts";
import { startReplayUpstream } from "../../support/replay-upstream.ts";
import { functionTool } from "../../support/tools.ts";
import { adapter, collect, context, fixture, model, request } from "./harness.ts";

const text = (value: string) => ({ kind: { case: "text" as const, value } });
const image = (fields: object) => ({ kind: { case: "media" as const, value: fields } });
const bytes = Uint8Array.of(1, 2, 3);

/** Returns the body that an adapter would send, as parsed JSON. */
function body(fields: Parameters<typeof request>[0], { provider = "openai", providerModel = "gpt-4o" } = {}) {
  const asked = request(fields);
  const it = adapter("http://127.0.0.1:9/v1", {}, provider);
  const limited = applyAdaptations(asked, it.checkSupport(asked, model(providerModel)));
  return JSON.parse(JSON.stringify(it.describe(limited.request, model(providerModel))));
}

describe("a request to OpenAI", () => {
  const everything: Parameters<typeof request>[0] = {
    messages: [
      { role: Role.SYSTEM, name: "rules", parts: [text("Be brief.")] },
      { role: Role.DEVELOPER, parts: [text("Be kind.")] },
      {
        role: Role.USER,
        name: "ann",
        parts: [
          text("Look:"),
          image({ source: { case: "url", value: "https://example.com/a.png" }, detail: MediaDetail.LOW }),
          image({ source: { case: "data", value: bytes }, mediaType: "image/png" }),
          image({ source: { case: "data", value: bytes }, mediaType: "audio/wav" }),
          image({ source: { case: "data", value: bytes }, mediaType: "application/pdf", filename: "a.pdf" }),
        ],
      },
      {
        role: Role.ASSISTANT,
        parts: [
          { kind: { case: "reasoning", value: { text: "Hm." } } },
          text("I ask."),
          { kind: { case: "toolCall", value: { id: "call_a", name: "weather", argumentsJson: '{"city": "Oslo"}' } } },
          { kind: { case: "toolCall", value: { id: "call_b", name: "weather", argumentsJson: "" } } },
        ],
      },
      {
        role: Role.TOOL,
        parts: [
          { kind: { case: "toolResult", value: { toolCallId: "call_a", parts: [text("rain")] } } },
          { kind: { case: "toolResult", value: { toolCallId: "call_b", parts: [text("sun"), text("wind")] } } },
        ],
      },
      { role: Role.ASSISTANT, parts: [{ kind: { case: "refusal", value: "No." } }] },
      { role: Role.USER, parts: [text("Why?")] },
    ],
    parameters: {
      temperature: 0.7,
      topP: 0.9,
      maxOutputTokens: 100,
      stopSequences: ["END"],
      n: 2,
      seedValue: { case: "seed", value: 18446744073709551615n },
      presencePenalty: 0.1,
      frequencyPenalty: -0.2,
      logprobs: true,
      topLogprobs: 3,
      logitBias: { 50256: -100 },
    },
    tools: [
      functionTool({
        name: "weather",
        description: "Tells the weather",
        parametersJsonSchema: '{"type":"object","properties":{"z":{},"a":{}}}',
        strict: true,
      }),
      functionTool({ name: "time" }),
    ],
    toolChoice: { choice: { case: "toolName", value: "weather" } },
    parallelToolCalls: false,
    outputFormat: {
      format: {
        case: "jsonSchema",
        value: { name: "answer", description: "An answer", schemaJson: '{"type":"object"}', strict: false },
      },
    },
    user: "user-1",
    promptCacheKey: "key-1",
    serviceTier: "flex",
    prediction: { content: "Rain." },
    providerOptions: {
      openai: { verbosity: "low" },
      vllm: { ignore_eos: true },
    },
  };

  it("sends every field with OpenAI's name", () => {
    expect(body(everything)).toEqual({
      model: "gpt-4o",
      messages: [
        { role: "system", name: "rules", content: "Be brief." },
        { role: "developer", content: "Be kind." },
        {
          role: "user",
          name: "ann",
          content: [
            { type: "text", text: "Look:" },
            { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "low" } },
            { type: "image_url", image_url: { url: "data:image/png;base64,AQID" } },
            { type: "input_audio", input_audio: { data: "AQID", format: "wav" } },
            { type: "file", file: { file_data: "data:application/pdf;base64,AQID", filename: "a.pdf" } },
          ],
        },
        {
          role: "assistant",
          content: "I ask.",
          tool_calls: [
            { id: "call_a", type: "function", function: { name: "weather", arguments: '{"city": "Oslo"}' } },
            { id: "call_b", type: "function", function: { name: "weather", arguments: "{}" } },
          ],
        },
        { role: "tool", tool_call_id: "call_a", content: "rain" },
        {
          role: "tool",
          tool_call_id: "call_b",
          content: [
            { type: "text", text: "sun" },
            { type: "text", text: "wind" },
          ],
        },
        { role: "assistant", content: null, refusal: "No." },
        { role: "user", content: "Why?" },
      ],
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
      max_completion_tokens: 100,
      temperature: 0.7,
      top_p: 0.9,
      stop: ["END"],
      n: 2,
      seed: Number("18446744073709551615"),
      presence_penalty: 0.1,
      frequency_penalty: -0.2,
      logprobs: true,
      top_logprobs: 3,
      logit_bias: { "50256": -100 },
      tools: [
        {
          type: "function",
          function: {
            name: "weather",
            description: "Tells the weather",
            parameters: { type: "object", properties: { z: {}, a: {} } },
            strict: true,
          },
        },
        { type: "function", function: { name: "time" } },
      ],
      tool_choice: { type: "function", function: { name: "weather" } },
      parallel_tool_calls: false,
      response_format: {
        type: "json_schema",
        json_schema: { name: "answer", description: "An answer", schema: { type: "object" }, strict: false },
      },
      safety_identifier: "user-1",
      prompt_cache_key: "key-1",
      service_tier: "flex",
      prediction: { type: "content", content: "Rain." },
      verbosity: "low",
    });
  });

  it("sends the body exactly as described, with all digits of the seed", async () => {
    const upstream = await startReplayUpstream({ steps: [{ write: fixture("text.sse") }] });
    const provider = adapter(`${upstream.baseUrl}/v1`);
    const asked = request(everything);
    await collect(provider.stream(asked, model(), context()));
    const [seen] = upstream.requests;
    expect(seen).toMatchObject({
      method: "POST",
      path: "/v1/chat/completions",
      headers: {
        authorization: "Bearer sk-test-key",
        "content-type": "application/json",
        "accept-encoding": "identity",
      },
    });
    expect(seen?.body).toBe(JSON.stringify(provider.describe(asked, model())));
    expect(seen?.body).toContain('"seed":18446744073709551615,');
    expect(seen?.body).not.toContain("sk-test-key");
    await provider.close?.();
    await upstream[Symbol.asyncDispose]();
  });

  it("omits fields that the caller did not set", () => {
    expect(body({})).toEqual({
      model: "gpt-4o",
      messages: [{ role: "user", content: "Hello" }],
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
    });
  });

  it("sends 0 values, and omits parallel_tool_calls if there are no tools", () => {
    const zero = body({
      parameters: { temperature: 0, seedValue: { case: "seed", value: 0n } },
      parallelToolCalls: false,
    });
    expect(zero).toMatchObject({ temperature: 0, seed: 0 });
    expect(zero).not.toHaveProperty("parallel_tool_calls");
  });

  it("sends system messages as developer messages to reasoning models", () => {
    const messages = [{ role: Role.SYSTEM, parts: [text("Be brief.")] }];
    const asked = { messages, reasoning: { control: { case: "effort" as const, value: ReasoningEffort.HIGH } } };
    expect(body(asked, { providerModel: "o3" })).toMatchObject({
      messages: [{ role: "developer", content: "Be brief." }],
      reasoning_effort: "high",
    });
  });

  it("sends effort none to models that reject tools with any other effort", () => {
    const tools = [functionTool({ name: "f" })];
    expect(body({ tools }, { providerModel: "gpt-5.6" })).toMatchObject({ reasoning_effort: "none" });
    const reasoning = { control: { case: "effort" as const, value: ReasoningEffort.HIGH } };
    expect(body({ tools, reasoning }, { providerModel: "gpt-5.6" })).toMatchObject({ reasoning_effort: "none" });
    expect(body({ reasoning }, { providerModel: "gpt-5.6" })).toMatchObject({ reasoning_effort: "high" });
  });
});

describe("a request to another server", () => {
  const turns = {
    messages: [
      { role: Role.DEVELOPER, parts: [text("Be kind.")] },
      { role: Role.USER, parts: [text("Hello")] },
      {
        role: Role.ASSISTANT,
        parts: [{ kind: { case: "reasoning" as const, value: { text: "Hm." } } }, text("Hi")],
      },
      { role: Role.USER, parts: [text("Why?")] },
    ],
  };

  it("sends max_tokens, no tool choice and no developer messages to Ollama", () => {
    const asked = {
      ...turns,
      parameters: { maxOutputTokens: 5, topK: 40, n: 1 },
      tools: [functionTool({ name: "f" })],
      toolChoice: { choice: { case: "mode" as const, value: ToolChoiceMode.NONE } },
    };
    expect(body(asked, { provider: "ollama" })).toEqual({
      model: "gpt-4o",
      messages: [
        { role: "system", content: "Be kind." },
        { role: "user", content: "Hello" },
        { role: "assistant", content: "Hi", reasoning: "Hm." },
        { role: "user", content: "Why?" },
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 5,
    });
  });

  it("sends vLLM's sampling fields, its value for off, and a regex", () => {
    const asked = {
      ...turns,
      parameters: { topK: 0, minP: 0.1, repetitionPenalty: 1.1, minOutputTokens: 2 },
      outputFormat: { format: { case: "regex" as const, value: { pattern: "a+" } } },
      reasoning: { clearEarlierReasoning: true },
    };
    const sent = body(asked, { provider: "vllm" });
    expect(sent).toMatchObject({
      top_k: -1,
      min_p: 0.1,
      repetition_penalty: 1.1,
      min_tokens: 2,
      structured_outputs: { regex: "a+" },
    });
    expect(sent.messages[2]).toEqual({ role: "assistant", content: "Hi" });
  });

  it("sends llama.cpp's field names, and the schema where llama.cpp expects it", () => {
    const outputFormat = { format: { case: "jsonSchema" as const, value: { name: "a", schemaJson: "{}" } } };
    expect(
      body({ parameters: { repetitionPenalty: 1.1, topK: -1 }, outputFormat }, { provider: "llamacpp" }),
    ).toMatchObject({
      repeat_penalty: 1.1,
      top_k: 0,
      response_format: { type: "json_schema", json_schema: { name: "a", schema: {} }, schema: {} },
    });
  });
});

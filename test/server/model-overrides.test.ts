import type { MessageInitShape } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { ReasoningEffort } from "../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../src/gen/dragoman/v1/tool_pb.js";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { functionTool } from "../support/tools.ts";

const { NONE, LOW, MEDIUM, HIGH, MAX } = ReasoningEffort;

const on = { enabled: true, api_key: "k", base_url: "http://127.0.0.1:9" };
const named = ["openai", "anthropic", "bedrock", "gemini", "mistral", "deepseek", "moonshot", "xai", "vllm"];

const models = {
  "gpt-5.4": { supported_parameters: ["tools"], unsupported_parameters: ["parameters.stop_sequences"] },
  "gpt-5.5": { reasoning_efforts: ["low", "max"] },
  "openai/gpt-4o": { reasoning_efforts: ["low", "high"] },
  "claude-opus-5-5": {
    reasoning_efforts: ["none", "max"],
    supported_parameters: ["parameters.temperature", "tool_choice.mode", "tool_choice.tool_name"],
  },
  "bedrock/us.anthropic.claude-opus-4-7": { supported_parameters: ["output_format.json_schema"] },
  "gemini-3.8-flash": { reasoning_efforts: ["minimal", "high"] },
  "mistral-large-latest": { provider: "mistral", reasoning_efforts: ["max"], capabilities: { reasoning: true } },
  "deepseek-v4-pro": { provider: "deepseek", reasoning_efforts: ["none", "low"] },
  "moonshot/kimi-k3": { supported_parameters: ["parameters.temperature"], reasoning_efforts: ["medium"] },
  "xai/grok-4.7": { unsupported_parameters: ["tools", "output_format.json_schema", "reasoning.effort"] },
  "vllm/house": { unsupported_parameters: ["parameters.temperature", "tool_choice.mode"] },
};

let service: TestService;
beforeAll(async () => {
  const file = {
    providers: Object.fromEntries(named.map((name) => [name, on])),
    models,
    deployments: { house: { model: "vllm/house" }, free: { model: "vllm/house", unsupported_parameters: [] } },
  };
  service = await startTestService({ AWS_REGION: "us-east-1" }, undefined, JSON.stringify(file));
});
afterAll(() => service.stop());

type Fields = Exclude<MessageInitShape<typeof ChatRequestSchema>, ChatRequest>;

const effort = (value: ReasoningEffort) => ({ reasoning: { control: { case: "effort" as const, value } } });
const tools = { tools: [functionTool({ name: "look" })] };
const required = { toolChoice: { choice: { case: "mode" as const, value: ToolChoiceMode.REQUIRED } } };
const schemaJson =
  '{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}';
const schema = {
  outputFormat: { format: { case: "jsonSchema" as const, value: { name: "a", schemaJson } } },
};

async function get(id: string) {
  const { model } = await service.modelClient("grpc").getModel({ id });
  return model ?? expect.fail(`there is no model ${id}`);
}

/** Returns the fields of the warnings, and the body that the provider would get; or the fields of the error. */
async function plan(id: string, fields: Fields) {
  try {
    const chat = ask(id, "hi", fields);
    const { warnings, providerRequestJson } = await service.chatClient("grpc").planChat({ chat });
    return { warned: warnings.map(({ field }) => field), body: JSON.parse(providerRequestJson) };
  } catch (error) {
    return { failed: ConnectError.from(error).rawMessage };
  }
}

describe("reasoning_efforts in the configuration", () => {
  it.each([
    ["gpt-5.5", [LOW, MAX]],
    ["openai/gpt-4o", [LOW, HIGH]],
    ["claude-opus-5-5", [NONE, MAX]],
    ["gemini-3.8-flash", [ReasoningEffort.MINIMAL, HIGH]],
    ["mistral-large-latest", [MAX]],
    ["deepseek-v4-pro", [NONE, LOW]],
    ["moonshot/kimi-k3", [MEDIUM]],
  ])("are those of %s in GetModel and PlanChat", async (id, efforts) => {
    expect((await get(id)).reasoningEfforts).toEqual(efforts);
    for (const value of [NONE, LOW, MEDIUM, HIGH, MAX]) {
      const [lenient, strict] = [effort(value), { ...effort(value), strictParameters: true }];
      const { warned } = await plan(id, lenient);
      expect([value, warned?.includes("reasoning.effort")]).toEqual([value, !efforts.includes(value)]);
      const { failed = "" } = await plan(id, strict);
      expect([value, failed]).toEqual([value, efforts.includes(value) ? "" : expect.stringMatching(/efforts/)]);
    }
  });

  it("are sent to the provider", async () => {
    expect((await plan("openai/gpt-4o", effort(LOW))).body).toMatchObject({ reasoning_effort: "low" });
    expect((await plan("gpt-5.5", effort(MAX))).body).toMatchObject({ reasoning_effort: "max" });
    expect((await plan("claude-opus-5-5", effort(NONE))).body).toMatchObject({ thinking: { type: "disabled" } });
    expect((await plan("mistral-large-latest", effort(MAX))).body).toMatchObject({ reasoning_effort: "max" });
    expect((await plan("gemini-3.8-flash", effort(ReasoningEffort.MINIMAL))).body).toMatchObject({
      generationConfig: { thinkingConfig: { thinkingLevel: "MINIMAL" } },
    });
  });
});

describe("supported_parameters in the configuration", () => {
  it("replace the rules of the family, and are sent", async () => {
    const openai = await plan("gpt-5.4", { ...tools, ...effort(HIGH) });
    expect(openai).toMatchObject({ warned: [], body: { reasoning_effort: "high", tools: [{}] } });
    const claude = await plan("claude-opus-5-5", { ...tools, ...required, parameters: { temperature: 0.5 } });
    expect(claude).toMatchObject({ warned: [], body: { temperature: 0.5, tool_choice: { type: "any" } } });
    const bedrock = await plan("bedrock/us.anthropic.claude-opus-4-7", schema);
    expect(bedrock).toMatchObject({ warned: [], body: { outputConfig: { textFormat: { type: "json_schema" } } } });
    const kimi = await plan("moonshot/kimi-k3", { parameters: { temperature: 0.5 } });
    expect(kimi).toMatchObject({ warned: [], body: { temperature: 0.5 } });
  });

  it("are listed by GetModel", async () => {
    expect((await get("claude-opus-5-5")).supportedParameters).toContain("parameters.temperature");
    expect((await get("claude-opus-5-5")).supportedParameters).toContain("tool_choice.mode");
    expect((await get("claude-fable-5-2")).supportedParameters).not.toContain("tool_choice.mode");
  });
});

describe("unsupported_parameters in the configuration", () => {
  it("are dropped with a warning, or rejected if the response would be too different", async () => {
    const stops = await plan("xai/grok-4.7", effort(LOW));
    expect(stops.warned).toEqual(["reasoning.effort"]);
    expect(stops.body).not.toHaveProperty("reasoning_effort");
    expect((await plan("xai/grok-4.7", tools)).failed).toContain("does not support tools, by the configuration");
    const house = await plan("vllm/house", { parameters: { temperature: 0.5 } });
    expect(house.warned).toEqual(["parameters.temperature"]);
    expect(house.body).not.toHaveProperty("temperature");
    expect((await plan("vllm/house", { ...tools, ...required })).failed).toContain("does not support tool_choice.mode");
    expect(await plan("vllm/house", tools)).toMatchObject({ warned: [], body: { tools: [{}] } });
  });

  it("make Dragoman emulate a JSON Schema", async () => {
    const { warned, body } = await plan("xai/grok-4.7", schema);
    expect(warned).toEqual(["output_format.json_schema"]);
    expect(body).toMatchObject({ response_format: { type: "json_object" } });
  });

  it("are not listed by GetModel", async () => {
    const { supportedParameters, reasoningEfforts } = await get("xai/grok-4.7");
    expect(supportedParameters).not.toContain("tools");
    expect(supportedParameters).not.toContain("reasoning.effort");
    expect(reasoningEfforts).toEqual([]);
    expect((await get("vllm/house")).supportedParameters).not.toContain("parameters.temperature");
  });

  it("hold for the deployments of the model, unless they have their own", async () => {
    expect((await get("deployments/house")).supportedParameters).not.toContain("parameters.temperature");
    expect((await get("deployments/free")).supportedParameters).toContain("parameters.temperature");
  });
});

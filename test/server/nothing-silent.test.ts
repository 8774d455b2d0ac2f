import type { MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PlanChatResponse } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import type { Model } from "../../src/gen/dragoman/v1/model_pb.js";
import {
  type ReasoningConfigSchema,
  ReasoningEffort,
  ReasoningFormat,
} from "../../src/gen/dragoman/v1/reasoning_pb.js";
import { isEmbeddingModel } from "../../src/models/model-row.ts";
import { providers as registered } from "../../src/providers/registry.ts";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";

type Reasoning = MessageInitShape<typeof ReasoningConfigSchema>;

const nowhere = "http://127.0.0.1:9";
let service: TestService;
let models: readonly Model[];
beforeAll(async () => {
  const providers = registered
    .filter(({ name }) => !["local", "echo", "vertex", "azure-openai"].includes(name))
    .map(({ name }) => [name, { enabled: true, api_key: "k", base_url: nowhere }] as const);
  service = await startTestService({}, undefined, JSON.stringify({ providers: Object.fromEntries(providers) }));
  const listed = await service.modelClient("grpc").listModels({ pageSize: 1000 });
  models = listed.models.filter((model) => !isEmbeddingModel(model));
});
afterAll(() => service.stop());

async function plan(model: Model, reasoning?: Reasoning): Promise<PlanChatResponse> {
  // Enough for a reasoning budget of 2000 tokens.
  const parameters = { maxOutputTokens: Math.min(4000, model.maxOutputTokens || 4000) };
  const fields = { parameters, ...(reasoning && { reasoning }) };
  return service.chatClient("grpc").planChat({ chat: ask(model.id, "hi", fields) });
}
const warned = ({ warnings }: PlanChatResponse) => warnings.map(({ reason, field }) => `${reason} ${field}`);

describe("a model without reasoning", () => {
  it.each<[string, Reasoning]>([
    ["an effort", { control: { case: "effort", value: ReasoningEffort.HIGH } }],
    ["an effort that few models support", { control: { case: "effort", value: ReasoningEffort.XHIGH } }],
    ["a budget", { control: { case: "budgetTokens", value: 2000 } }],
    ["a format", { format: ReasoningFormat.RAW }],
  ])("ignores %s with one warning on a model without reasoning", async (_, reasoning) => {
    const without = models.filter(({ capabilities }) => capabilities?.reasoning === false);
    expect(without.length).toBeGreaterThan(50);
    for (const model of without) {
      const [plain, asked] = [await plan(model), await plan(model, reasoning)];
      expect([model.id, asked.providerRequestJson]).toEqual([model.id, plain.providerRequestJson]);
      expect([model.id, warned(asked)]).toEqual([model.id, ["UNSUPPORTED_PARAMETER reasoning", ...warned(plain)]]);
    }
  });
});

describe("a model with reasoning", () => {
  it("requests reasoning inside the text, or warns if the provider does not support it", async () => {
    const thinking = models.filter(({ capabilities }) => capabilities?.reasoning);
    expect(thinking.length).toBeGreaterThan(50);
    const supporting = new Set<string>();
    for (const model of thinking) {
      const asked = await plan(model, { format: ReasoningFormat.RAW });
      const isSent = /"raw"/.test(asked.providerRequestJson);
      if (isSent) supporting.add(model.provider);
      const expected = ["UNSUPPORTED_PARAMETER reasoning.format", "UNSUPPORTED_PARAMETER reasoning"];
      const isReported = warned(asked).some((warning) => expected.includes(warning));
      expect([model.id, isSent || isReported]).toEqual([model.id, true]);
    }
    expect([...supporting].sort()).toEqual(["cerebras", "groq"]);
  });
});

it("sends chat_template_kwargs, or warns if the provider does not support them", async () => {
  const variable = "a_variable_of_the_template";
  const supporting = new Set<string>();
  for (const model of models) {
    const chat = ask(model.id, "hi", { chatTemplateKwargs: { [variable]: true } });
    const asked = await service.chatClient("grpc").planChat({ chat });
    const isSent = asked.providerRequestJson.includes(variable);
    const isReported = warned(asked).includes("UNSUPPORTED_PARAMETER chat_template_kwargs");
    expect([model.id, isSent, isReported]).toEqual([model.id, isSent, !isSent]);
    if (isSent) supporting.add(model.provider);
  }
  expect([...supporting].sort()).toEqual(["deepinfra", "llm-engine", "together"]);
});

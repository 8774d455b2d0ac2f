import { create } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { effortProbes, parameterProbes } from "../../src/calls/parameter-probes.ts";
import { type ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { Modality } from "../../src/gen/dragoman/v1/modality_pb.js";
import { DeploymentParameterType, type Model, ModelState } from "../../src/gen/dragoman/v1/model_pb.js";
import { OutputFormatSchema } from "../../src/gen/dragoman/v1/output_format_pb.js";
import { GenerationParametersSchema } from "../../src/gen/dragoman/v1/parameters_pb.js";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { ReasoningConfigSchema } from "../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceSchema } from "../../src/gen/dragoman/v1/tool_pb.js";
import { isEmbeddingModel } from "../../src/models/model-row.ts";
import { providers as registered } from "../../src/providers/registry.ts";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";

const nowhere = "http://127.0.0.1:9";
const providers = registered.map(({ name }) => name).filter((name) => !["local", "vertex", "echo"].includes(name));

let service: TestService;
beforeAll(async () => {
  const configured = providers.map((name) => [name, { enabled: true, api_key: "k", base_url: nowhere }]);
  const file = {
    providers: Object.fromEntries(configured),
    models: { tuned: { provider: "openai", provider_model: "gpt-4o", profile: "cerebras", max_temperature: 1.2 } },
    deployments: {
      base: {
        model: "llm-engine/llama-2-7b",
        completion_only: true,
        parameters: [{ name: "style", type: "string", description: "How to write", required: true }],
      },
      chat: { model: "anthropic/claude-sonnet-4-5" },
    },
  };
  service = await startTestService({ AZURE_OPENAI_API_VERSION: "" }, undefined, JSON.stringify(file));
});
afterAll(() => service.stop());

const models = () => service.modelClient("grpc");

async function get(id: string, profile = Profile.UNSPECIFIED): Promise<Model> {
  const { model } = await models().getModel({ id, profile });
  return model ?? expect.fail(`there is no model ${id}`);
}

/** Whether PlanChat accepts a request without the warning UNSUPPORTED_PARAMETER. */
async function isPlanned(request: ChatRequest, { id, deploymentParameters }: Model, profile: Profile) {
  const given = Object.fromEntries(deploymentParameters.map(({ name }) => [name, "plain"]));
  const chat = create(ChatRequestSchema, { ...request, model: id, profile, deploymentParameters: given });
  try {
    const { warnings } = await service.chatClient("grpc").planChat({ chat });
    return !warnings.some(({ reason }) => reason === "UNSUPPORTED_PARAMETER");
  } catch (error) {
    expect(ConnectError.from(error).code).toBe(Code.InvalidArgument);
    return false;
  }
}

async function expectLaw(model: Model, profile: Profile): Promise<void> {
  const planned: string[] = [];
  for (const { path, requests } of parameterProbes) {
    const plans = await Promise.all(requests.map((request) => isPlanned(request, model, profile)));
    if (plans.includes(true)) planned.push(path);
  }
  expect([model.id, model.supportedParameters]).toEqual([model.id, planned]);
  const efforts = [];
  for (const { effort, request } of effortProbes) {
    if (await isPlanned(request, model, profile)) efforts.push(effort);
  }
  expect([model.id, model.reasoningEfforts]).toEqual([model.id, efforts]);
}

describe("supported_parameters and reasoning_efforts", () => {
  it.each(providers)("agree with PlanChat for models of %s", async (provider) => {
    const all = (await models().listModels({ pageSize: 1000, provider })).models;
    const listed = all.filter((model) => !isEmbeddingModel(model));
    const ids = [listed[0], listed[Math.floor(listed.length / 2)], listed.at(-1)].flatMap((model) => model?.id ?? []);
    for (const id of new Set([...ids, `${provider}/unlisted`])) {
      for (const profile of [Profile.PLAIN, Profile.EGP_CHAT]) await expectLaw(await get(id, profile), profile);
    }
  });

  it("agree with PlanChat for each profile", async () => {
    for (const profile of [Profile.EGP_DEPLOYMENT, Profile.CEREBRAS, Profile.DEEPINFRA]) {
      for (const id of ["openai/gpt-4o", "anthropic/claude-sonnet-4-5"])
        await expectLaw(await get(id, profile), profile);
    }
  });

  it("agree with PlanChat for deployments, also those that only complete text", async () => {
    const base = await get("deployments/base");
    expect(base.supportedParameters).not.toContain("tools");
    expect(base.supportedParameters).not.toContain("instructions");
    await expectLaw(base, Profile.UNSPECIFIED);
    await expectLaw(await get("deployments/chat"), Profile.UNSPECIFIED);
  });

  it("know each field of ChatRequest: by a probe, or as one that every model supports", () => {
    const probed = parameterProbes.map(({ path }) => path);
    const within = (path: string, { fields }: { readonly fields: readonly { readonly name: string }[] }) =>
      fields.map(({ name }) => `${path}.${name}`);
    const inner = {
      parameters: within("parameters", GenerationParametersSchema),
      tool_choice: within("tool_choice", ToolChoiceSchema),
      output_format: within("output_format", OutputFormatSchema),
      reasoning: within("reasoning", ReasoningConfigSchema),
    };
    const everywhere = [
      ...["model", "messages", "memory_strategy", "account_id", "deployment_parameters", "provider_options"],
      ...["strict_parameters", "profile", "fallback_models", "labels", "output_format.text"],
      ...["output_format.on_invalid"],
      // No adapter sends these fields yet.
      ...["response_modalities", "audio_output"],
    ];
    const all = ChatRequestSchema.fields.flatMap(
      ({ name }) => Object.entries(inner).find(([of]) => of === name)?.[1] ?? name,
    );
    expect([...probed, ...everywhere].sort()).toEqual([...all].sort());
  });
});

describe("a model's description", () => {
  it("is for the profile that applies", async () => {
    expect((await get("gpt-4o")).profile).toBe(Profile.PLAIN);
    expect((await get("tuned")).profile).toBe(Profile.CEREBRAS);
    expect((await get("deployments/chat")).profile).toBe(Profile.EGP_DEPLOYMENT);
    expect((await get("tuned", Profile.DEEPINFRA)).profile).toBe(Profile.DEEPINFRA);
    const { models: listed } = await models().listModels({ pageSize: 1000, profile: Profile.EGP_CHAT });
    expect(new Set(listed.map(({ profile }) => profile))).toEqual(new Set([Profile.EGP_CHAT]));
    const { models: own } = await models().listModels({ pageSize: 1000 });
    expect(own.filter(({ profile }) => profile === Profile.UNSPECIFIED)).toEqual([]);
  });

  it.each([
    ["the profile's range", "openai/gpt-4o", Profile.EGP_CHAT, 1],
    ["the profile's range", "openai/gpt-4o", Profile.CEREBRAS, 1.5],
    ["the model's own", "tuned", Profile.CEREBRAS, 1.2],
    ["the provider's", "mistral/unlisted", Profile.PLAIN, 1],
    ["none if nothing limits it", "vllm/unlisted", Profile.PLAIN, undefined],
    ["none if the model does not support temperature", "openai/o3", Profile.EGP_CHAT, undefined],
  ])("has the narrowest temperature limit: %s of %s", async (_, id, profile, most) => {
    const { maxTemperature } = await get(id, profile);
    expect(maxTemperature).toBe(most);
    if (most === undefined) return;
    const chat = ask(id, "hi", { parameters: { temperature: most }, profile });
    const { warnings, effectiveParameters } = await service.chatClient("grpc").planChat({ chat });
    expect([
      warnings.filter(({ field }) => field === "parameters.temperature"),
      effectiveParameters?.temperature,
    ]).toEqual([[], most]);
  });

  it("has the deployment's parameters, the modalities and the state", async () => {
    expect(await get("deployments/base")).toMatchObject({
      deploymentParameters: [
        { name: "style", type: DeploymentParameterType.STRING, description: "How to write", required: true },
      ],
      state: ModelState.AVAILABLE,
    });
    expect(await get("openai/gpt-4o")).toMatchObject({
      inputModalities: [Modality.TEXT, Modality.IMAGE, Modality.DOCUMENT],
      outputModalities: [Modality.TEXT],
      prices: expect.arrayContaining([expect.objectContaining({ fromInputTokens: 0 })]),
    });
    expect(await get("openai/unlisted")).toMatchObject({ inputModalities: [], outputModalities: [] });
  });

  it("has the day on which the provider shuts the model down, and then the state UNAVAILABLE", async () => {
    const dayOf = ({ deprecationTime }: Model) => deprecationTime && timestampDate(deprecationTime).toISOString();
    vi.useFakeTimers({ now: Date.UTC(2027, 2, 31), toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const announced = await get("openai/gpt-5.1-2025-11-13");
    expect([dayOf(announced), announced.state]).toEqual(["2027-04-01T00:00:00.000Z", ModelState.AVAILABLE]);
    vi.setSystemTime(Date.UTC(2027, 3, 2));
    expect((await get("openai/gpt-5.1-2025-11-13")).state).toBe(ModelState.UNAVAILABLE);
    const past = await get("gpt-4-32k");
    expect([dayOf(past), past.state]).toEqual(["2025-06-06T00:00:00.000Z", ModelState.UNAVAILABLE]);
    const unknown = await get("gpt-6-astra");
    expect([dayOf(unknown), unknown.state]).toEqual([undefined, ModelState.AVAILABLE]);
  });

  it("follows the profile's rules for the family", async () => {
    const plain = await get("anthropic/claude-3-5-haiku-latest", Profile.PLAIN);
    const deployed = await get("anthropic/claude-3-5-haiku-latest", Profile.EGP_DEPLOYMENT);
    expect(plain.supportedParameters).toContain("parameters.top_k");
    expect(deployed.supportedParameters).not.toContain("parameters.top_k");
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Model, ModelState } from "../../src/gen/dragoman/v1/model_pb.js";
import { Profile, ProfileSchema } from "../../src/gen/dragoman/v1/profile_pb.js";
import { protocols, startTestService, type TestService } from "../support/service.ts";

const on = { enabled: true, api_key: "k", base_url: "http://127.0.0.1:9" };
const targets = ["openai/gpt-4o", "anthropic/claude-sonnet-5", "mistral/mistral-large-latest"];

let service: TestService;
beforeAll(async () => {
  const file = {
    providers: { openai: on, anthropic: on, mistral: on, cerebras: on },
    models: { house: { provider: "openai", provider_model: "gpt-4o", unsupported_parameters: ["tools"] } },
    routes: {
      fast: { tiers: targets.map((model) => ({ targets: [{ model }] })), profile: "egp-chat" },
      "gpt-4o": { tiers: [{ targets: [{ model: "house" }, { model: "xai/grok" }] }] },
      quick: { tiers: [{ targets: [{ model: "cerebras/gpt-oss-120b" }, { model: "openai/gpt-4o" }] }] },
    },
  };
  service = await startTestService({}, undefined, JSON.stringify(file));
});
afterAll(() => service.stop());

async function get(id: string, profile = Profile.UNSPECIFIED): Promise<Model> {
  const { model } = await service.modelClient("grpc").getModel({ id, profile });
  return model ?? expect.fail(`there is no model ${id}`);
}

const setOf = (items: readonly unknown[]): ReadonlySet<unknown> => new Set(items);

async function json(path: string): Promise<{ data: readonly { id: string }[] }> {
  const response = await fetch(`http://${service.httpAddress}${path}`);
  return (await response.json()) as { data: readonly { id: string }[] };
}

describe("a route in ModelService", () => {
  it.each(protocols)("is a model over %s", async (protocol) => {
    const client = service.modelClient(protocol);
    const { model } = await client.getModel({ id: "fast" });
    expect(model).toMatchObject({
      id: "fast",
      displayName: "fast",
      provider: "openai",
      providerModel: "gpt-4o",
      profile: Profile.EGP_CHAT,
      state: ModelState.AVAILABLE,
    });
    const { models } = await client.listModels({ pageSize: 1000 });
    expect(models.find(({ id }) => id === "fast")).toEqual(model);
    expect(models.filter(({ id }) => id === "gpt-4o")).toHaveLength(1);
  });

  it("supports under each profile what all its targets support", async () => {
    for (const { number: profile } of ProfileSchema.values.slice(1)) {
      const ofTargets = await Promise.all(targets.map((id) => get(id, profile)));
      const route = await get("fast", profile);
      for (const key of ["supportedParameters", "reasoningEfforts", "inputModalities", "outputModalities"] as const) {
        const sets = ofTargets.map((model) => setOf(model[key]));
        expect(setOf(route[key])).toEqual(sets.reduce((all, set) => all.intersection(set)));
      }
      expect(route.supportedParameters).not.toEqual([]);
      expect(route.profile).toBe(profile);
      expect(route.contextWindowTokens).toBe(
        Math.min(...ofTargets.map((model) => model.contextWindowTokens || Infinity)),
      );
      const temperatures = ofTargets.map(({ maxTemperature }) => maxTemperature);
      expect(route.maxTemperature).toBe(
        temperatures.includes(undefined) ? undefined : Math.min(...temperatures.map((value) => value ?? 0)),
      );
    }
  });

  it("is described by the model that it replaces only where it is a target", async () => {
    expect(await get("gpt-4o")).toMatchObject({ displayName: "gpt-4o", providerModel: "gpt-4o", aliases: [] });
    expect((await get("gpt-4o")).supportedParameters).not.toContain("tools");
    expect((await get("openai/gpt-4o")).supportedParameters).toContain("tools");
  });
});

describe("a route in the HTTP APIs", () => {
  it("is on the pages of models", async () => {
    const ids = (await json("/v1/models")).data.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(["fast", "gpt-4o", "quick"]));
    expect(await json("/v1/models/fast")).toEqual({ id: "fast", object: "model", created: 0, owned_by: "openai" });
  });

  it("belongs to the API of its first target's provider", async () => {
    const ids = (await json("/cerebras/v1/models")).data.map(({ id }) => id);
    expect(ids).toContain("quick");
    expect(ids).not.toContain("fast");
    expect(await json("/cerebras/v1/models/quick")).toMatchObject({ id: "quick", owned_by: "cerebras" });
  });
});

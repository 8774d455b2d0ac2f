import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { type Catalog, createCatalog } from "../../src/models/catalog.ts";
import type { ConfiguredModel } from "../../src/models/configured-model.ts";

function entry(init: MessageInitShape<typeof ModelSchema>) {
  return create(ModelSchema, { family: "test", ...init });
}

const gpt = entry({
  id: "gpt-4o",
  provider: "openai",
  providerModel: "gpt-4o",
  profile: Profile.EGP_CHAT,
  aliases: ["omni"],
  contextWindowTokens: 128_000,
});
const llama = entry({
  id: "meta-llama/Llama-2-70b-chat-hf",
  provider: "deepinfra",
  providerModel: "meta-llama/Llama-2-70b-chat-hf",
  profile: Profile.DEEPINFRA,
});
const echo = entry({ id: "echo/echo", provider: "echo", providerModel: "echo" });
const hosted = entry({ id: "echo-grok", provider: "echo", providerModel: "grok-4" });
const grok = entry({ id: "grok", provider: "xai", providerModel: "grok-5" });

const catalog = createCatalog(
  [gpt, llama, echo, grok, hosted],
  ["openai", "deepinfra", "echo"],
  [
    { name: "openai", on: true, reason: "OPENAI_API_KEY is set", family: "openai-chat" },
    { name: "xai", on: false, reason: "set XAI_API_KEY to turn it on", family: "xai" },
  ],
);

function failure(name: string, account = "", from: Catalog = catalog): GatewayError {
  try {
    from.resolve(name, account);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error(`${name} was found`);
}

test("resolves an id or alias to its entry", () => {
  expect(catalog.resolve("gpt-4o")).toBe(gpt);
  expect(catalog.resolve("omni")).toBe(gpt);
});

test("prefers an id with a slash to provider/model", () => {
  expect(catalog.resolve("meta-llama/Llama-2-70b-chat-hf")).toBe(llama);
});

test("resolves provider/model to the same entry without the entry's own profile", () => {
  const profile = Profile.UNSPECIFIED;
  expect(catalog.resolve("openai/gpt-4o")).toEqual({ ...gpt, id: "openai/gpt-4o", aliases: [], profile });
  const path = "deepinfra/meta-llama/Llama-2-70b-chat-hf";
  expect(catalog.resolve(path)).toEqual({ ...llama, id: path, profile });
});

test("accepts an unlisted provider/model with unknown capabilities", () => {
  const model = catalog.resolve("openai/ft:gpt/of/mine");
  expect(model).toMatchObject({
    id: "openai/ft:gpt/of/mine",
    provider: "openai",
    providerModel: "ft:gpt/of/mine",
    profile: Profile.UNSPECIFIED,
    contextWindowTokens: 0,
    family: "openai-chat",
  });
  expect(model.capabilities).toBeUndefined();
});

test.each([
  ["a misspelt id", "gpt-4p", "did you mean gpt-4o?"],
  ["a misspelt provider", "opena/gpt-4o", "did you mean openai/gpt-4o?"],
  ["an unknown id", "something-else-altogether", "the list of models has the valid names"],
  ["an unknown provider", "nobody/nothing-that-is-known", "(configured: openai, deepinfra, echo)"],
  ["a provider without a model", "openai/", "the model's name is missing"],
  ["a provider's own name for a model", "grok-4", "write echo/grok-4"],
  [
    "a vendor's name for an unlisted model",
    "vendor/some-model",
    "write the provider first, such as deepinfra/vendor/some-model",
  ],
  [
    "a model as a deployment",
    "deployments/gpt-4o",
    "there is no deployment gpt-4o, but there is a model gpt-4o; call it as a model, not as a deployment",
  ],
  ["an unknown deployment", "deployments/nothing-known", "there is no deployment nothing-known; the list of models"],
])("rejects %s with MODEL_NOT_FOUND and a hint", (_, name, advice) => {
  const error = failure(name);
  expect(error).toMatchObject({ reason: "MODEL_NOT_FOUND", status: "NOT_FOUND", facts: { metadata: { model: name } } });
  expect(error.message).toContain(advice);
});

test.each(["grok", "xai/grok-9"])("rejects %s with PROVIDER_NOT_CONFIGURED and how to configure it", (name) => {
  expect(failure(name)).toMatchObject({
    reason: "PROVIDER_NOT_CONFIGURED",
    status: "FAILED_PRECONDITION",
    message: expect.stringContaining("set XAI_API_KEY to turn it on"),
    facts: { metadata: { model: name, provider: "xai" } },
  });
});

test("lists only models of configured providers, ordered by id", () => {
  expect(catalog.list()).toEqual([hosted, echo, gpt, llama]);
  expect(catalog.list("openai")).toEqual([gpt]);
  expect(catalog.list("xai")).toEqual([]);
});

test.each([
  ["gpt-4o", "openai"],
  ["omni", "openai"],
  ["grok", "xai"],
  ["openai/gpt-99", "openai"],
  ["xai/grok-99", "xai"],
  ["gpt-99", undefined],
  ["nobody/model", undefined],
  ["deployments/none", undefined],
])("finds for %s the provider %s, configured or not", (name, provider) => {
  expect(catalog.providerOf(name)).toBe(provider);
});

test("throws if two models share a name", () => {
  const double = entry({ id: "omni", provider: "echo", providerModel: "omni" });
  expect(() => createCatalog([gpt, double], ["openai"])).toThrow("two models are named omni");
});

describe("a model of the configuration", () => {
  const deployment = (
    init: MessageInitShape<typeof ModelSchema>,
    more: Partial<ConfiguredModel> = {},
  ): ConfiguredModel => ({
    model: entry(init),
    account: "",
    parameters: [],
    completionOnly: false,
    ...more,
  });
  const tone = { name: "tone", type: "string", description: "", required: true } as const;
  const open = deployment(
    { id: "deployments/open", provider: "openai", providerModel: "gpt-4o" },
    { parameters: [tone] },
  );
  const owned = deployment({ id: "deployments/owned", provider: "echo", providerModel: "echo" }, { account: "a1" });
  const off = deployment({ id: "deployments/off", provider: "xai", providerModel: "grok-5" }, { account: "a1" });
  const moved = deployment({ ...gpt, provider: "deepinfra", providerModel: "hosted-gpt" });
  const added = deployment({ id: "house", provider: "echo", providerModel: "house", aliases: ["home"] });
  const known = [{ name: "xai", on: false, reason: "set XAI_API_KEY to turn it on", family: "xai" }];
  const configured = createCatalog([gpt, llama, echo, grok], ["openai", "deepinfra", "echo"], known, [
    open,
    owned,
    off,
    moved,
    added,
  ]);

  test("resolves a configured model by id and alias", () => {
    expect(configured.resolve("deployments/open")).toBe(open.model);
    expect(configured.resolve("home")).toBe(added.model);
    expect(configured.resolve("echo/house")).toMatchObject({ id: "echo/house", profile: Profile.UNSPECIFIED });
  });

  test("replaces the entry with the same id, which provider/model still finds", () => {
    expect(configured.resolve("gpt-4o")).toBe(moved.model);
    expect(configured.resolve("omni")).toBe(moved.model);
    expect(configured.resolve("deepinfra/hosted-gpt")).toMatchObject({ profile: Profile.UNSPECIFIED, family: "test" });
    expect(configured.resolve("openai/gpt-4o")).toMatchObject({
      profile: Profile.UNSPECIFIED,
      contextWindowTokens: 128_000,
    });
  });

  test("keeps provider/model on the first entry if another one is configured", () => {
    const full = entry({ id: "gpt-4o-full", provider: "openai", providerModel: "gpt-4o", contextWindowTokens: 9 });
    const changed = createCatalog([full, gpt], ["openai"], [], [deployment({ ...gpt, contextWindowTokens: 1 })]);
    expect(changed.resolve("gpt-4o").contextWindowTokens).toBe(1);
    expect(changed.resolve("openai/gpt-4o").contextWindowTokens).toBe(9);
  });

  test("uses the provider's family if a configured model has none", () => {
    const plain = deployment({ id: "mine", provider: "gemini", providerModel: "x", family: "" });
    expect(
      createCatalog([], ["gemini"], [{ name: "gemini", on: true, reason: "", family: "google" }], [plain]).resolve(
        "mine",
      ).family,
    ).toBe("google");
  });

  test("returns the parameters of a configured model by its id", () => {
    expect(configured.deploymentOf(configured.resolve("deployments/open").id)).toEqual(open);
    expect(configured.deploymentOf("gpt-4o")?.parameters).toEqual([]);
    expect(configured.deploymentOf("openai/gpt-4o")).toBeUndefined();
    expect(configured.deploymentOf("echo/echo")).toBeUndefined();
  });

  test("resolves a deployment for its account, or for all if it has none", () => {
    expect(configured.resolve("deployments/owned", "a1")).toBe(owned.model);
    for (const account of ["", "a1", "a2"]) expect(configured.resolve("deployments/open", account)).toBe(open.model);
  });

  test.each(["", "a2"])("hides deployments of other accounts from account %j", (account) => {
    const without = createCatalog([gpt, llama, echo, grok], ["openai", "deepinfra", "echo"], known, [open, added]);
    // Errors must reveal neither the provider's status nor, for a misspelt name, the deployment's id.
    for (const name of ["deployments/owned", "deployments/off", "deployments/ownee"]) {
      const error = failure(name, account, configured);
      const { reason, message, facts } = failure(name, account, without);
      expect([error.reason, error.message, error.facts]).toEqual([reason, message, facts]);
      expect(reason).toBe("MODEL_NOT_FOUND");
    }
  });

  test("returns a deployment's provider only to its account, configured or not", () => {
    expect(configured.providerOf("deployments/owned", "a1")).toBe("echo");
    expect(configured.providerOf("deployments/off", "a1")).toBe("xai");
    expect(configured.providerOf("deployments/owned", "a2")).toBeUndefined();
  });

  test("suggests a deployment only to its account", () => {
    expect(failure("deployments/ownee", "a1", configured).message).toMatch(/did you mean deployments\/owned\?$/);
    expect(failure("deployments/opne", "", configured).message).toMatch(/did you mean deployments\/open\?$/);
    expect(failure("deployments/off", "a1", configured).message).toContain("set XAI_API_KEY");
    expect(failure("deployments/", "a1", configured).message).toContain("there is no deployment");
  });

  test("lists a deployment only for its account", () => {
    const ids = (account?: string, provider?: string) => configured.list(provider, account).map(({ id }) => id);
    expect(ids()).toEqual(["deployments/open", "echo/echo", "gpt-4o", "house", llama.id]);
    expect(ids("a2")).toEqual(ids());
    expect(ids("a1", "echo")).toEqual(["deployments/owned", "echo/echo", "house"]);
    expect(ids("a2", "echo")).toEqual(["echo/echo", "house"]);
  });
});

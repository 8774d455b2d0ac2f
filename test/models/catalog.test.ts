import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { type Catalog, createCatalog } from "../../src/models/catalog.ts";
import type { ConfiguredModel } from "../../src/models/configured-model.ts";

function entry(init: MessageInitShape<typeof ModelSchema>) {
  return create(ModelSchema, { profile: "plain", family: "test", ...init });
}

const gpt = entry({
  id: "gpt-4o",
  provider: "openai",
  providerModel: "gpt-4o",
  profile: "egp-chat",
  aliases: ["omni"],
  contextWindowTokens: 128_000,
});
const llama = entry({
  id: "meta-llama/Llama-2-70b-chat-hf",
  provider: "deepinfra",
  providerModel: "meta-llama/Llama-2-70b-chat-hf",
  profile: "deepinfra",
});
const echo = entry({ id: "echo/echo", provider: "echo", providerModel: "echo" });
const grok = entry({ id: "grok", provider: "xai", providerModel: "grok-5" });

const catalog = createCatalog(
  [gpt, llama, echo, grok],
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

test("an id or an alias gives its entry", () => {
  expect(catalog.resolve("gpt-4o")).toBe(gpt);
  expect(catalog.resolve("omni")).toBe(gpt);
});

test("an id with a slash comes before provider/model", () => {
  expect(catalog.resolve("meta-llama/Llama-2-70b-chat-hf")).toBe(llama);
});

test("provider/model is the same entry with the profile plain", () => {
  expect(catalog.resolve("openai/gpt-4o")).toEqual({ ...gpt, id: "openai/gpt-4o", aliases: [], profile: "plain" });
  const path = "deepinfra/meta-llama/Llama-2-70b-chat-hf";
  expect(catalog.resolve(path)).toEqual({ ...llama, id: path, profile: "plain" });
});

test("provider/model that is not listed is passed on with unknown capabilities", () => {
  const model = catalog.resolve("openai/ft:gpt/of/mine");
  expect(model).toMatchObject({
    id: "openai/ft:gpt/of/mine",
    provider: "openai",
    providerModel: "ft:gpt/of/mine",
    profile: "plain",
    contextWindowTokens: 0,
    family: "openai-chat",
  });
  expect(model.capabilities).toBeUndefined();
});

test.each([
  ["a misspelt id", "gpt-4p", "did you mean gpt-4o?"],
  ["a misspelt provider", "opena/gpt-4o", "did you mean openai/gpt-4o?"],
  ["an unknown id", "something-else-altogether", "ListModels lists what there is"],
  ["an unknown provider", "nobody/nothing-that-is-known", "(those that are on: openai, deepinfra, echo)"],
  ["a model whose provider is off", "grok", "set XAI_API_KEY to turn it on"],
  ["an unlisted model of a provider that is off", "xai/grok-9", "set XAI_API_KEY to turn it on"],
  ["no model", "openai/", "the model's name is missing"],
])("%s is MODEL_NOT_FOUND and says what to do", (_, name, advice) => {
  const error = failure(name);
  expect(error).toMatchObject({ reason: "MODEL_NOT_FOUND", status: "NOT_FOUND", facts: { metadata: { model: name } } });
  expect(error.message).toContain(advice);
});

test("the list is ordered by id and has only models whose provider is on", () => {
  expect(catalog.list()).toEqual([echo, gpt, llama]);
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
])("providerOf %s returns %s, without a failed lookup", (name, provider) => {
  expect(catalog.providerOf(name)).toBe(provider);
});

test("two models with one name are rejected at the start", () => {
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

  test("is found by its id and its aliases", () => {
    expect(configured.resolve("deployments/open")).toBe(open.model);
    expect(configured.resolve("home")).toBe(added.model);
    expect(configured.resolve("echo/house")).toMatchObject({ id: "echo/house", profile: "plain" });
  });

  test("takes the place of the entry with its id, which provider/model still finds", () => {
    expect(configured.resolve("gpt-4o")).toBe(moved.model);
    expect(configured.resolve("omni")).toBe(moved.model);
    expect(configured.resolve("deepinfra/hosted-gpt")).toMatchObject({ profile: "plain", family: "test" });
    expect(configured.resolve("openai/gpt-4o")).toMatchObject({ profile: "plain", contextWindowTokens: 128_000 });
  });

  test("does not change what provider/model means where the provider has an entry of its own before it", () => {
    const full = entry({ id: "gpt-4o-full", provider: "openai", providerModel: "gpt-4o", contextWindowTokens: 9 });
    const changed = createCatalog([full, gpt], ["openai"], [], [deployment({ ...gpt, contextWindowTokens: 1 })]);
    expect(changed.resolve("gpt-4o").contextWindowTokens).toBe(1);
    expect(changed.resolve("openai/gpt-4o").contextWindowTokens).toBe(9);
  });

  test("has the family of its provider when it states none", () => {
    const plain = deployment({ id: "mine", provider: "gemini", providerModel: "x", family: "" });
    expect(
      createCatalog([], ["gemini"], [{ name: "gemini", on: true, reason: "", family: "google" }], [plain]).resolve(
        "mine",
      ).family,
    ).toBe("google");
  });

  test("may have declared parameters, which its id finds", () => {
    expect(configured.deploymentOf(configured.resolve("deployments/open").id)).toEqual(open);
    expect(configured.deploymentOf("gpt-4o")?.parameters).toEqual([]);
    expect(configured.deploymentOf("openai/gpt-4o")).toBeUndefined();
    expect(configured.deploymentOf("echo/echo")).toBeUndefined();
  });

  test("can be used by the account that owns it, or by every one", () => {
    expect(configured.resolve("deployments/owned", "a1")).toBe(owned.model);
    for (const account of ["", "a1", "a2"]) expect(configured.resolve("deployments/open", account)).toBe(open.model);
  });

  test.each(["", "a2"])("of another account is as unknown as one that does not exist, to account %j", (account) => {
    const without = createCatalog([gpt, llama, echo, grok], ["openai", "deepinfra", "echo"], known, [open, added]);
    // Neither by its own name, even where its provider is off, nor by one that is spelt nearly like it.
    for (const name of ["deployments/owned", "deployments/off", "deployments/ownee"]) {
      const error = failure(name, account, configured);
      const { reason, message, facts } = failure(name, account, without);
      expect([error.reason, error.message, error.facts]).toEqual([reason, message, facts]);
      expect(reason).toBe("MODEL_NOT_FOUND");
    }
  });

  test("names its provider to the accounts that may use it, configured or not", () => {
    expect(configured.providerOf("deployments/owned", "a1")).toBe("echo");
    expect(configured.providerOf("deployments/off", "a1")).toBe("xai");
    expect(configured.providerOf("deployments/owned", "a2")).toBeUndefined();
  });

  test("is suggested to the account that may use it", () => {
    expect(failure("deployments/ownee", "a1", configured).message).toMatch(/did you mean deployments\/owned\?$/);
    expect(failure("deployments/opne", "", configured).message).toMatch(/did you mean deployments\/open\?$/);
    expect(failure("deployments/off", "a1", configured).message).toContain("set XAI_API_KEY");
    expect(failure("deployments/", "a1", configured).message).toContain("there is no deployment");
  });

  test("is listed for the accounts that may use it", () => {
    const ids = (account?: string, provider?: string) => configured.list(provider, account).map(({ id }) => id);
    expect(ids()).toEqual(["deployments/open", "echo/echo", "gpt-4o", "house", llama.id]);
    expect(ids("a2")).toEqual(ids());
    expect(ids("a1", "echo")).toEqual(["deployments/owned", "echo/echo", "house"]);
    expect(ids("a2", "echo")).toEqual(["echo/echo", "house"]);
  });
});

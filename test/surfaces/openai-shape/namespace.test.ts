import { describe, expect, it } from "vitest";
import { Profile } from "../../../src/gen/dragoman/v1/profile_pb.js";
import { createCatalog } from "../../../src/models/catalog.ts";
import type { ConfiguredModel } from "../../../src/models/configured-model.ts";
import { listedModels } from "../../../src/providers/registry.ts";
import { cerebrasNamespace } from "../../../src/surfaces/cerebras/namespace.ts";
import { deepinfraNamespace } from "../../../src/surfaces/deepinfra/namespace.ts";
import { nameInNamespace } from "../../../src/surfaces/openai-shape/namespace.ts";

const models = listedModels({});
const echoModel = models.find(({ id }) => id === "echo/echo");
if (echoModel === undefined) throw new Error("the model echo/echo is not listed");

/** Configured models whose names or profiles are in a namespace, or which the configuration moved from Cerebras. */
const configured: readonly ConfiguredModel[] = [
  { ...echoModel, id: "llama3.1-8b" },
  { ...echoModel, id: "own-model", profile: Profile.CEREBRAS },
  { ...echoModel, id: "house/model", profile: Profile.DEEPINFRA },
  { ...echoModel, id: "deployments/abc", profile: Profile.EGP_DEPLOYMENT },
].map((model) => ({ model, account: "", parameters: [], completionOnly: false }));

const plain = createCatalog(models, ["openai", "cerebras", "deepinfra", "echo"]);
const changed = createCatalog(models, ["openai", "cerebras", "deepinfra", "echo"], [], configured);
const withoutOpenAi = createCatalog(
  models,
  ["cerebras"],
  [{ name: "openai", on: false, reason: "set OPENAI_API_KEY", family: "openai" }],
);

describe("model names in Cerebras' API", () => {
  it("reports how to configure Cerebras if it is not configured", () => {
    const off = createCatalog(
      models,
      ["echo"],
      [{ name: "cerebras", on: false, reason: "set CEREBRAS_API_KEY to turn it on", family: "cerebras" }],
    );
    const resolve = () => off.resolve(nameInNamespace("llama3.1-8b", cerebrasNamespace, off));
    expect(resolve).toThrow("set CEREBRAS_API_KEY to turn it on");
  });

  const named = (name: string, catalog = plain) => catalog.resolve(nameInNamespace(name, cerebrasNamespace, catalog));

  it.each([
    "llama3.1-8b",
    "llama3.1-70b",
    "gpt-oss-120b",
    "llama-3.3-70b",
    "cerebras/gpt-oss-120b",
  ])("resolves %s to Cerebras' model", (name) => {
    expect(named(name)).toMatchObject({ provider: "cerebras", providerModel: name.replace("cerebras/", "") });
  });

  it("rejects another provider's model, whether that provider is configured or not", () => {
    for (const catalog of [plain, withoutOpenAi]) {
      for (const name of ["gpt-4", "openai/gpt-4o"]) {
        expect(() => named(name, catalog)).toThrow(expect.objectContaining({ reason: "MODEL_NOT_FOUND" }));
      }
    }
  });

  it("resolves a configured name only if it is a moved name of Cerebras or its profile is cerebras", () => {
    for (const name of ["llama3.1-8b", "own-model"]) expect(named(name, changed).provider).toBe("echo");
    const elsewhere = () => named("house/model", changed);
    expect(elsewhere).toThrow(expect.objectContaining({ reason: "MODEL_NOT_FOUND" }));
  });
});

describe("model names in DeepInfra's API", () => {
  const named = (name: string, catalog = plain) => catalog.resolve(nameInNamespace(name, deepinfraNamespace, catalog));

  it.each([
    ["meta-llama/Llama-2-70b-chat-hf", "meta-llama/Llama-2-70b-chat-hf"],
    ["openai/gpt-oss-120b", "openai/gpt-oss-120b"],
    ["openai/gpt-4o", "openai/gpt-4o"],
    ["someone/model:v2", "someone/model:v2"],
    ["deploy_id:xyz", "deploy_id:xyz"],
    ["deepinfra/openai/gpt-oss-120b", "openai/gpt-oss-120b"],
  ])("resolves %s to DeepInfra's model", (name, providerModel) => {
    expect(named(name)).toMatchObject({ provider: "deepinfra", providerModel });
  });

  it("resolves configured names, and deployments by deploy_id", () => {
    expect(named("house/model", changed).provider).toBe("echo");
    expect(named("deploy_id:abc", changed).id).toBe("deployments/abc");
  });
});

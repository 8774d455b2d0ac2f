import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { createCatalog } from "../../src/models/catalog.ts";
import { deploymentId, deploymentName, findModel, indexModels } from "../../src/models/find-model.ts";

const gpt = create(ModelSchema, {
  id: "gpt",
  provider: "openai",
  providerModel: "gpt-4o",
  aliases: ["omni"],
  profile: Profile.EGP_CHAT,
  family: "openai-chat",
});
const moved = { ...gpt, provider: "vllm", providerModel: "mine" };
const bot = { ...gpt, id: "deployments/bot", aliases: [], providerModel: "tuned" };
const providers = ["openai", "vllm"];

test("extracts a deployment id only from names that start with deployments/", () => {
  expect(deploymentId(deploymentName("bot"))).toBe("bot");
  expect(deploymentId("openai/deployments/bot")).toBeUndefined();
});

test.each([
  ["gpt", { provider: "vllm", profile: Profile.EGP_CHAT }],
  ["omni", { id: "gpt", provider: "vllm" }],
  ["vllm/mine", { id: "vllm/mine", profile: Profile.UNSPECIFIED, aliases: [] }],
  ["openai/gpt-4o", { id: "openai/gpt-4o", provider: "openai", family: "openai-chat" }],
  ["openai/tuned", { id: "openai/tuned", displayName: "tuned", profile: Profile.UNSPECIFIED }],
  ["openai/a/b", { provider: "openai", providerModel: "a/b" }],
])("resolves %s to the same model in findModel and the catalog", (name, expected) => {
  const index = indexModels([moved, bot], [gpt]);
  expect(findModel(index, name, providers)).toMatchObject(expected);
  const configured = [moved, bot].map((model) => ({ model, account: "", parameters: [], completionOnly: false }));
  expect(createCatalog([gpt], providers, [], configured).resolve(name)).toMatchObject(expected);
});

test.each([
  "nobody/gpt",
  "openai/",
  "/gpt",
  "gpt-5",
  "deployments/other",
])("returns undefined for the unknown name %s", (name) => {
  expect(findModel(indexModels([gpt]), name, providers)).toBeUndefined();
});

import { clone } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import type { ConfiguredModel } from "../../src/models/configured-model.ts";
import { dollar, models as listed, load, pathsOf, problemsOf } from "./harness.ts";

function only(yaml: string, environment = {}): ConfiguredModel {
  const [model, ...others] = load(yaml, environment).models;
  if (model === undefined || others.length > 0) throw new Error("expected one configured model");
  return model;
}

function entry(id: string) {
  const found = listed.find((model) => model.id === id);
  if (found === undefined) throw new Error(`${id} is not listed`);
  return found;
}

const mistakes = (yaml: string) =>
  Object.fromEntries(problemsOf(() => load(yaml)).map(({ path, problem, fix }) => [path, `${problem}; ${fix}`]));

describe("an entry under models", () => {
  it("changes a listed model field by field", () => {
    const before = clone(ModelSchema, entry("gpt-4o"));
    const yaml = "models: { gpt-4o: { context_window: 64000, max_temperature: 1.5, capabilities: { tools: true } } }";
    expect(only(yaml)).toEqual({
      model: {
        ...before,
        contextWindowTokens: 64_000,
        maxTemperature: 1.5,
        capabilities: { ...before.capabilities, tools: true },
      },
      account: "",
      parameters: [],
      completionOnly: false,
    });
    // The list is shared by everything in the process.
    expect(entry("gpt-4o")).toEqual(before);
  });

  it("may change every field", () => {
    const yaml = `
models:
  gpt-4o:
    provider: vllm
    provider_model: hosted
    profile: deepinfra
    aliases: [best]
    display_name: Best
    context_window: 0
    max_output_tokens: "${dollar}{TOKENS}"
    max_temperature: "1"
    family: llm-engine
    template_family: llama-3
    capabilities: { system_messages: false, image_input: "true" }
    parameters: [{ name: tone, type: string, description: How to speak., required: true }, { name: depth, type: integer }]
`;
    const { model, parameters } = only(yaml, { TOKENS: "512" });
    expect(model).toMatchObject({
      id: "gpt-4o",
      provider: "vllm",
      providerModel: "hosted",
      profile: "deepinfra",
      aliases: ["best"],
      displayName: "Best",
      contextWindowTokens: 0,
      maxOutputTokens: 512,
      maxTemperature: 1,
      family: "llm-engine",
      templateFamily: "llama-3",
      capabilities: { systemMessages: false, imageInput: true, tools: false },
    });
    expect(parameters).toEqual([
      { name: "tone", type: "string", description: "How to speak.", required: true },
      { name: "depth", type: "integer", description: "", required: false },
    ]);
  });

  it("adds a model, which is plain and whose capabilities are unknown until they are said", () => {
    const { model } = only("models: { house: { provider: vllm, context_window: 8192 } }");
    expect(model).toMatchObject({
      id: "house",
      provider: "vllm",
      providerModel: "house",
      displayName: "house",
      profile: "plain",
      contextWindowTokens: 8192,
    });
    expect(model.capabilities).toBeUndefined();
    const said = only("models: { house: { provider: vllm, capabilities: { tools: true } } }").model.capabilities;
    expect(said).toMatchObject({ tools: true, systemMessages: true, imageInput: false, jsonSchema: false });
  });

  it("may say something of provider/model, which needs no more to be known", () => {
    expect(only("models: { vllm/org/m: { context_window: 5 } }").model).toMatchObject({
      id: "vllm/org/m",
      provider: "vllm",
      providerModel: "org/m",
      displayName: "org/m",
      contextWindowTokens: 5,
    });
    const full = only("models: { openai/gpt-4o: { max_output_tokens: 5 } }").model;
    expect(full).toMatchObject({ profile: "plain", maxOutputTokens: 5, capabilities: { tools: true } });
  });
});

describe("the profile of the configuration", () => {
  it("is that of every bare id, but not of provider/model", () => {
    const config = load("profile: cerebras\nmodels: { house: { provider: vllm }, vllm/m: {}, gpt-4o: {} }");
    expect(config.models.map(({ model }) => [model.id, model.profile])).toEqual([
      ["house", "cerebras"],
      ["vllm/m", "plain"],
      ["gpt-4o", "cerebras"],
    ]);
    expect(config.listedModels.map(({ id, profile }) => [id, profile])).toEqual([
      ["openai/gpt-4o", "plain"],
      ["gpt-4o", "cerebras"],
      ["echo/echo", "plain"],
    ]);
    expect(load("").listedModels).toBe(listed);
  });

  it("gives way to an entry's own, and is not that of deployments", () => {
    const yaml = "profile: plain\nmodels: { gpt-4o: { profile: egp-chat } }\ndeployments: { d: { model: gpt-4o } }";
    expect(load(yaml).models.map(({ model }) => model.profile)).toEqual(["egp-chat", "egp-deployment"]);
  });
});

describe("a deployment", () => {
  it("is its model under a name and a profile of its own", () => {
    const { model, ...rest } = only("deployments: { bot: { model: gpt-4o } }");
    expect(model).toEqual({
      ...entry("gpt-4o"),
      id: "deployments/bot",
      displayName: "bot",
      aliases: [],
      profile: "egp-deployment",
    });
    expect(rest).toEqual({ account: "", parameters: [], completionOnly: false });
  });

  it.each([
    ["omni", { provider: "openai", providerModel: "gpt-4o", maxOutputTokens: 4096 }],
    ["openai/gpt-4o", { provider: "openai", providerModel: "gpt-4o", maxOutputTokens: 16_384 }],
    ["vllm/org/new", { provider: "vllm", providerModel: "org/new", maxOutputTokens: 0 }],
    ["house", { provider: "vllm", providerModel: "house", maxOutputTokens: 77 }],
  ])("may be of an alias, of provider/model or of an entry under models: %s", (target, facts) => {
    const yaml = `models: { house: { provider: vllm, max_output_tokens: 77 } }\ndeployments: { bot: { model: ${target} } }`;
    expect(load(yaml).models[1]?.model).toMatchObject({ id: "deployments/bot", ...facts });
  });

  it("has an owner, parameters and facts of its own", () => {
    const yaml = `
deployments:
  bot:
    model: gpt-4o
    account: a1
    profile: plain
    display_name: The bot
    max_output_tokens: 100
    parameters: [{ name: deep, type: boolean }]
`;
    expect(only(yaml)).toMatchObject({
      account: "a1",
      completionOnly: false,
      parameters: [{ name: "deep", type: "boolean", required: false }],
      model: { profile: "plain", displayName: "The bot", maxOutputTokens: 100, templateFamily: "" },
    });
  });

  it("that only completes has no template, unless it names one", () => {
    const target = "model: gpt-4o, completion_only: true";
    expect(only(`deployments: { d: { ${target} } }`)).toMatchObject({
      completionOnly: true,
      model: { templateFamily: "none" },
    });
    const named = only(`deployments: { d: { ${target}, template_family: chatml } }`);
    expect(named.model.templateFamily).toBe("chatml");
  });
});

describe("mistakes in models and deployments", () => {
  it("are all reported, each with path, problem and fix", () => {
    const found = mistakes(`
profile: ego-chat
models:
  gpt-4p: { display_name: misspelt }
  something-else: { contxt_window: 1 }
  omni: {}
  gpt-4o: { provider: opnai, family: openai-chatt, context_window: -1, max_temperature: 3, template_family: llama }
  house: { provider: vllm, aliases: [new, gpt-4o], capabilities: { tool: true } }
  deployments/x: { provider: vllm }
  other: { provider: vllm, aliases: [new, deployments/y], parameters: [{ name: a, type: float }] }
deployments:
  one: { model: gtp-4o }
  two: { account: a1 }
  three: { model: nobody/nothing, parameters: [{ name: a, type: string }, { name: a, type: number }] }
  four/4: { model: gpt-4o }
`);
    expect(found).toEqual({
      profile: '"ego-chat" is not a choice; write one of plain, egp-chat, egp-deployment, cerebras, deepinfra',
      "models.gpt-4p.provider": "is missing, and the catalog has no model of this name; did you mean `gpt-4o`?",
      "models.something-else.contxt_window": "is not a known key; did you mean `context_window`?",
      "models.something-else.provider":
        "is missing, and the catalog has no model of this name; write the name of a provider for a new model",
      "models.omni": "is another name of gpt-4o; write `gpt-4o` instead",
      "models.gpt-4o.provider": "is not a known provider; did you mean `openai`?",
      "models.gpt-4o.family": "is not a known family; did you mean `openai-chat`?",
      "models.gpt-4o.context_window":
        "-1 is not a number of tokens; write a number from 0, which means unknown, to 2147483647",
      "models.gpt-4o.max_temperature": "3 is not a temperature; write a number from 0 to 2",
      "models.gpt-4o.template_family": expect.stringContaining('"llama" is not a choice; write one of llama-2'),
      "models.house.aliases[1]": "is a name of gpt-4o too; remove it",
      "models.house.capabilities.tool": "is not a known key; did you mean `tools`?",
      "models.deployments/x": expect.stringContaining("is not an id for a model"),
      "models.other.aliases[0]": "is a name of house too; remove it",
      "models.other.aliases[1]": expect.stringContaining("is not a name for a model"),
      "models.other.parameters[0].type": '"float" is not a choice; write one of string, integer, number, boolean',
      "deployments.one.model": expect.stringContaining("did you mean `gpt-4o`?"),
      "deployments.two.model": "is missing; write some text, in quotes when it looks like a number",
      "deployments.three.model": expect.stringContaining("ListModels lists what there is"),
      "deployments.three.parameters[1].name": "is that of parameters[0] too; remove one",
      "deployments.four/4": expect.stringContaining("is not an id for a deployment"),
    });
  });

  const key = `sha256: "${"ab".repeat(32)}"`;
  const deployed = "deployments: { bot: { model: gpt-4o, account: team-x } }";

  it("are owners that no key can select", () => {
    const keys = `authentication: { keys: [{ id: k, ${key}, accounts: [team-a] }] }`;
    expect(mistakes(`${keys}\n${deployed}`)).toEqual({
      "deployments.bot.account": "is an account of no key, so that nobody could use it; did you mean `team-a`?",
    });
  });

  it("are not owners that a key, or a caller without one, can select", () => {
    expect(pathsOf(deployed)).toEqual([]);
    expect(pathsOf(`authentication: { keys: [{ id: k, ${key} }] }\n${deployed}`)).toEqual([]);
    expect(pathsOf(`authentication: { keys: [{ id: k, ${key}, accounts: [a, team-x] }] }\n${deployed}`)).toEqual([]);
  });

  it("show nothing that a variable holds", () => {
    const yaml = `
models: { a: { provider: "${dollar}{S}", family: "${dollar}{S}", max_temperature: "${dollar}{S}" } }
deployments: { b: { model: "${dollar}{S}", profile: "${dollar}{S}" } }
`;
    const problems = problemsOf(() => load(yaml, { S: "sk-secret" }));
    expect(problems.length).toBeGreaterThanOrEqual(5);
    expect(JSON.stringify(problems)).not.toContain("sk-secret");
  });
});

import { clone } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { parse, stringify } from "yaml";
import { describeConfig } from "../../src/config/describe.ts";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import type { ConfiguredModel } from "../../src/models/configured-model.ts";
import { profileNames } from "../../src/profiles/profiles.ts";
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
    // The whole process shares the list, so loading must not change it.
    expect(entry("gpt-4o")).toEqual(before);
  });

  it("changes every field of a listed model", () => {
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
      profile: Profile.DEEPINFRA,
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

  it("adds a model without a profile and with unknown capabilities by default", () => {
    const { model } = only("models: { house: { provider: vllm, context_window: 8192 } }");
    expect(model).toMatchObject({
      id: "house",
      provider: "vllm",
      providerModel: "house",
      displayName: "house",
      profile: Profile.UNSPECIFIED,
      contextWindowTokens: 8192,
    });
    expect(model.capabilities).toBeUndefined();
    const { capabilities } = only("models: { house: { provider: vllm, capabilities: { tools: true } } }").model;
    expect(capabilities).toMatchObject({ tools: true, systemMessages: true, imageInput: false, jsonSchema: false });
  });

  it("adds facts to provider/model, listed or not, without a provider key", () => {
    expect(only("models: { vllm/org/m: { context_window: 5 } }").model).toMatchObject({
      id: "vllm/org/m",
      provider: "vllm",
      providerModel: "org/m",
      displayName: "org/m",
      contextWindowTokens: 5,
    });
    const full = only("models: { openai/gpt-4o: { max_output_tokens: 5 } }").model;
    expect(full).toMatchObject({ profile: Profile.UNSPECIFIED, maxOutputTokens: 5, capabilities: { tools: true } });
  });
});

describe("the profile of the configuration", () => {
  it("keeps the configured profile apart from the models, which have only their own", () => {
    const yaml = `
profile: cerebras
models: { house: { provider: vllm }, vllm/m: { profile: plain }, gpt-4o: { profile: egp-chat } }
deployments: { d: { model: gpt-4o }, e: { model: gpt-4o, profile: plain } }
`;
    const config = load(yaml);
    expect(config.profile).toBe("cerebras");
    expect(config.models.map(({ model }) => [model.id, model.profile])).toEqual([
      ["house", Profile.UNSPECIFIED],
      ["vllm/m", Profile.PLAIN],
      ["gpt-4o", Profile.EGP_CHAT],
      ["deployments/d", Profile.EGP_DEPLOYMENT],
      ["deployments/e", Profile.PLAIN],
    ]);
    expect(config.listedModels).toEqual(listed);
    expect(load("").profile).toBeUndefined();
  });

  it("describes the profiles so that they read back as the same", () => {
    const profiles = fc.constantFrom(undefined, ...profileNames);
    fc.assert(
      fc.property(profiles, profiles, profiles, (service, model, deployment) => {
        const file = {
          profile: service,
          models: { house: { provider: "vllm", profile: model } },
          deployments: { d: { model: "house", profile: deployment } },
        };
        const loaded = load(stringify(file));
        const { profile, models, deployments } = parse(describeConfig(loaded));
        const again = load(stringify({ profile, models, deployments }));
        expect(again.profile).toBe(service);
        expect(again.models.map((entry) => entry.model.profile)).toEqual(
          loaded.models.map((entry) => entry.model.profile),
        );
        expect(deployments.d.profile).toBe(deployment ?? "egp-deployment");
      }),
    );
  });
});

describe("a deployment", () => {
  it("gives a deployment the facts of its model, but its own id and profile", () => {
    const { model, ...rest } = only("deployments: { bot: { model: gpt-4o } }");
    expect(model).toEqual({
      ...entry("gpt-4o"),
      id: "deployments/bot",
      displayName: "bot",
      aliases: [],
      profile: Profile.EGP_DEPLOYMENT,
    });
    expect(rest).toEqual({ account: "", parameters: [], completionOnly: false });
  });

  it.each([
    ["omni", { provider: "openai", providerModel: "gpt-4o", maxOutputTokens: 4096 }],
    ["openai/gpt-4o", { provider: "openai", providerModel: "gpt-4o", maxOutputTokens: 16_384 }],
    ["vllm/org/new", { provider: "vllm", providerModel: "org/new", maxOutputTokens: 0 }],
    ["house", { provider: "vllm", providerModel: "house", maxOutputTokens: 77 }],
  ])("deploys an alias, provider/model or an entry under models: %s", (target, facts) => {
    const yaml = `models: { house: { provider: vllm, max_output_tokens: 77 } }\ndeployments: { bot: { model: ${target} } }`;
    expect(load(yaml).models[1]?.model).toMatchObject({ id: "deployments/bot", ...facts });
  });

  it("reads a deployment's account, parameters and facts", () => {
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
      model: { profile: Profile.PLAIN, displayName: "The bot", maxOutputTokens: 100, templateFamily: "" },
    });
  });

  it("gives a completion-only deployment no template by default", () => {
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
  it("reports all mistakes in models and deployments, with path, problem and fix", () => {
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
      profile: '"ego-chat" is not a valid value; write one of plain, egp-chat, egp-deployment, cerebras, deepinfra',
      "models.gpt-4p.provider": "is missing, and the catalog has no model of this name; did you mean `gpt-4o`?",
      "models.something-else.contxt_window": "is not a known key; did you mean `context_window`?",
      "models.something-else.provider":
        "is missing, and the catalog has no model of this name; write the name of a provider for a new model",
      "models.omni": "is an alias of gpt-4o; write `gpt-4o` instead",
      "models.gpt-4o.provider": "is not a known provider; did you mean `openai`?",
      "models.gpt-4o.family": "is not a known family; did you mean `openai-chat`?",
      "models.gpt-4o.context_window": "-1 is not a number of tokens; write a number from 0 (unknown) to 2147483647",
      "models.gpt-4o.max_temperature": "3 is not a temperature; write a number from 0 to 2",
      "models.gpt-4o.template_family": expect.stringContaining('"llama" is not a valid value; write one of llama-2'),
      "models.house.aliases[1]": "is already a name of gpt-4o; remove it",
      "models.house.capabilities.tool": "is not a known key; did you mean `tools`?",
      "models.deployments/x": expect.stringContaining("is not a valid model id"),
      "models.other.aliases[0]": "is already a name of house; remove it",
      "models.other.aliases[1]": expect.stringContaining("is not a valid model name"),
      "models.other.parameters[0].type": '"float" is not a valid value; write one of string, integer, number, boolean',
      "deployments.one.model": expect.stringContaining("did you mean `gpt-4o`?"),
      "deployments.two.model": "is missing; write a non-empty string; quote it if it looks like a number",
      "deployments.three.model": expect.stringContaining("ListModels lists the valid names"),
      "deployments.three.parameters[1].name": "is already used by parameters[0]; rename or remove one",
      "deployments.four/4": expect.stringContaining("is not a valid deployment id"),
    });
  });

  const key = `sha256: "${"ab".repeat(32)}"`;
  const deployed = "deployments: { bot: { model: gpt-4o, account: team-x } }";

  it("rejects a deployment whose account no key can use", () => {
    // A database in the working directory could have a key that can.
    vi.spyOn(process, "cwd").mockReturnValue("/nowhere");
    const keys = `authentication: { keys: [{ id: k, ${key}, accounts: [team-a] }] }`;
    expect(mistakes(`${keys}\n${deployed}`)).toEqual({
      "deployments.bot.account": "is not an account of any key, so no caller could use it; did you mean `team-a`?",
    });
  });

  it("accepts a deployment whose account some caller can use", () => {
    expect(pathsOf(deployed)).toEqual([]);
    expect(pathsOf(`authentication: { keys: [{ id: k, ${key} }] }\n${deployed}`)).toEqual([]);
    expect(pathsOf(`authentication: { keys: [{ id: k, ${key}, accounts: [a, team-x] }] }\n${deployed}`)).toEqual([]);
  });

  it("never quotes a variable's value in a mistake about models", () => {
    const yaml = `
models: { a: { provider: "${dollar}{S}", family: "${dollar}{S}", max_temperature: "${dollar}{S}" } }
deployments: { b: { model: "${dollar}{S}", profile: "${dollar}{S}" } }
`;
    const problems = problemsOf(() => load(yaml, { S: "sk-secret" }));
    expect(problems.length).toBeGreaterThanOrEqual(5);
    expect(JSON.stringify(problems)).not.toContain("sk-secret");
  });
});

describe("the keys that replace a family's rules", () => {
  it("are shown with the resolved configuration, and name mistakes", () => {
    const keys = {
      reasoning_efforts: ["none", "xhigh"],
      supported_parameters: ["parameters.top_k"],
      unsupported_parameters: ["tools"],
    };
    const config = load(stringify({ models: { "gpt-4o": keys } }));
    expect(parse(describeConfig(config)).models["gpt-4o"]).toMatchObject(keys);
    const wrong = { reasoning_efforts: ["most"], unsupported_parameters: ["parameters.heat"] };
    expect(mistakes(stringify({ models: { "gpt-4o": wrong } }))).toMatchObject({
      "models.gpt-4o.reasoning_efforts[0]": expect.stringContaining("write none, minimal"),
      "models.gpt-4o.unsupported_parameters[0]": expect.stringContaining("parameters.temperature"),
    });
  });
});

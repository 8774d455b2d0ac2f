import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { describeConfig } from "../../src/config/describe.ts";
import { removed } from "../../src/config/described.ts";
import type { Environment } from "../../src/config/environment.ts";
import { loadConfig } from "../../src/config/load.ts";
import { dialects, listedModels, providers } from "../../src/providers/registry.ts";
import { problemsOf, writeConfig } from "./harness.ts";

const load = (yaml: string, environment: Environment = {}) =>
  loadConfig({ environment, file: writeConfig(yaml), providers, dialects, models: listedModels({}) });

const settingsOf = (yaml: string, name: string, environment: Environment = {}) =>
  load(yaml, environment).providers.find((settings) => settings.name === name);

const problemsWith = (section: string) => problemsOf(() => load(`providers: { ${section} }`));

/** Values of every variable that a definition reads. */
const everyVariable = Object.fromEntries(
  providers.flatMap(({ variables: { apiKey, baseUrl, others = [] } }) => [
    ...(apiKey ? [[apiKey, "from-variable"]] : []),
    ...(baseUrl ? [[baseUrl, "http://from-variable"]] : []),
    ...others.map((name) => [name, "from-variable"]),
  ]),
);

describe("a provider that the file adds by a dialect", () => {
  it("has the settings of its section, and the defaults of the dialect", () => {
    const yaml = `
providers:
  openai-eu: { dialect: openai, base_url: https://eu.example/v1/, api_key: k, max_connections: 3, headers: { x-a: b } }
  claude_2: { dialect: anthropic, keys: [{ name: a, value: k }] }
  my-gpu.1: { dialect: chat-completions, base_url: http://gpu:8000/v1, timeouts: { idle: 3s } }
`;
    expect(settingsOf(yaml, "openai-eu")).toMatchObject({
      dialect: "openai",
      baseUrl: "https://eu.example/v1",
      maxConnections: 3,
      headers: { "x-a": "b" },
    });
    expect(settingsOf(yaml, "claude_2")).toMatchObject({ dialect: "anthropic", baseUrl: "https://api.anthropic.com" });
    expect(settingsOf(yaml, "my-gpu.1")).toMatchObject({
      dialect: "chat-completions",
      keys: [],
      timeouts: { idleMs: 3000 },
    });
  });

  it("is on unless it is disabled, with the reason and the family of the dialect", () => {
    const yaml = `
providers:
  a: { dialect: openai, api_key: k }
  b: { dialect: gemini, api_key: k, enabled: false }
  c: { dialect: echo }
`;
    expect(load(yaml).providerStatuses.slice(providers.length)).toEqual([
      { name: "a", dialect: "openai", on: true, reason: "providers.a.dialect is openai", family: "openai-chat" },
      { name: "b", dialect: "gemini", on: false, reason: "providers.b.enabled is false", family: "google" },
      { name: "c", dialect: "echo", on: true, reason: "providers.c.dialect is echo", family: "echo" },
    ]);
  });

  it.each(
    dialects.filter(({ name }) => name !== "local").map(({ name }) => name),
  )("reads no environment variable of %s", (dialect) => {
    const isCloud = dialect === "bedrock";
    const hasKey = dialect !== "echo";
    const section = {
      dialect,
      ...(hasKey && { base_url: "http://own", api_key: "own-key" }),
      ...(isCloud && { options: { region: "us-east-1" } }),
    };
    const settings = settingsOf(stringify({ providers: { other: section } }), "other", everyVariable);
    expect(settings).toMatchObject({ variables: {} });
    // Servers that operators run themselves usually have the path /v1.
    expect(settings?.baseUrl).toMatch(hasKey ? /^http:\/\/own(?:\/v1)?$/ : /^$/);
    expect(settings?.keys.map(({ secret }) => secret.reveal())).toEqual(hasKey ? ["own-key"] : []);
  });

  it.each([
    [
      "opena: { api_key: k }",
      "providers.opena",
      "did you mean `openai`? Or write its `dialect`, such as chat-completions, to add a provider",
    ],
    [
      "my-gpu: { base_url: 'http://h' }",
      "providers.my-gpu",
      "write its `dialect`, such as chat-completions, to add a provider",
    ],
    ["my-gpu: { dialect: opnai }", "providers.my-gpu.dialect", "did you mean `openai`?"],
    ["openai: { dialect: anthropic, api_key: k }", "providers.openai.dialect", "remove it, or choose another name"],
    ["Gpu: { dialect: openai, api_key: k }", "providers.Gpu", "write 1 to 64 of a-z, 0-9, `-`, `_` and `.`"],
    ["a/b: { dialect: openai, api_key: k }", "providers.a/b", "write 1 to 64 of a-z, 0-9, `-`, `_` and `.`"],
    [
      `${"n".repeat(65)}: { dialect: echo }`,
      `providers.${"n".repeat(65)}`,
      "write 1 to 64 of a-z, 0-9, `-`, `_` and `.`",
    ],
    ["deployments: { dialect: echo }", "providers.deployments", "choose another name"],
    ["constructor: { dialect: echo }", "providers.constructor", "choose another name"],
    ["gpu: { dialect: chat-completions }", "providers.gpu.base_url", "set it"],
    ["azure-2: { dialect: azure-openai, api_key: k }", "providers.azure-2.base_url", "set it"],
    ["openai-eu: { dialect: openai }", "providers.openai-eu.api_key", "set it"],
    ["aws-2: { dialect: bedrock }", "providers.aws-2.options.region", "set it"],
    ["mistralai: { dialect: mistral, api_key: k, options: { a: 1 } }", "providers.mistralai.options.a", "remove it"],
  ])("rejects %s", (section, path, fix) => {
    expect(problemsWith(section)).toEqual([{ path, problem: expect.any(String), fix }]);
  });

  it("cannot have the dialect of the local model, which exists only once", () => {
    const [problem] = problemsWith("local-2: { dialect: local }");
    expect(problem).toMatchObject({
      path: "providers.local-2.dialect",
      problem: "is a provider that exists only once",
    });
  });

  it("can repeat the own name of a known provider as its dialect", () => {
    expect(settingsOf("providers: { openai: { dialect: openai } }", "openai", { OPENAI_API_KEY: "k" })).toMatchObject({
      dialect: "openai",
      baseUrl: "https://api.openai.com/v1",
    });
  });

  it("has each model of the dialect, with the same facts", () => {
    const yaml = "providers: { openai-eu: { dialect: openai, api_key: k } }";
    const { listedModels: models } = load(yaml);
    const own = models.filter(({ provider }) => provider === "openai");
    const added = models.filter(({ provider }) => provider === "openai-eu");
    expect(new Set(added.map(({ providerModel }) => providerModel))).toEqual(
      new Set(own.map(({ providerModel }) => providerModel)),
    );
    expect(new Set(added.map(({ id }) => id)).size).toBe(added.length);
    for (const model of added) {
      const first = own.find(({ providerModel }) => providerModel === model.providerModel);
      const { id: _, aliases: __, profile: ___, provider: ____, ...facts } = first ?? expect.fail("no such model");
      expect(model).toMatchObject({
        ...facts,
        id: `openai-eu/${model.providerModel}`,
        aliases: [],
        family: "openai-chat",
      });
    }
  });

  it("can be named by models and deployments of the file", () => {
    const yaml = `
providers: { openai-eu: { dialect: openai, api_key: k }, my-gpu: { dialect: chat-completions, base_url: "http://h" } }
models:
  openai-eu/gpt-4o: { max_output_tokens: 9 }
  house: { provider: my-gpu, provider_model: qwen }
deployments: { bot: { model: openai-eu/gpt-4o }, other: { model: my-gpu/any/model } }
`;
    const models = new Map(load(yaml).models.map(({ model }) => [model.id, model]));
    expect(models.get("openai-eu/gpt-4o")).toMatchObject({ maxOutputTokens: 9, contextWindowTokens: 128_000 });
    expect(models.get("house")).toMatchObject({ provider: "my-gpu", providerModel: "qwen" });
    expect(models.get("deployments/bot")).toMatchObject({ provider: "openai-eu", maxOutputTokens: 9 });
    expect(models.get("deployments/other")).toMatchObject({ provider: "my-gpu", providerModel: "any/model" });
  });

  it("cannot add a second model of a name", () => {
    const twin = listedModels({}).find(({ id }) => id === "meta-llama/Llama-2-7b-chat-hf");
    if (twin === undefined) return expect.fail("there is no such model");
    const name = "meta-llama";
    const models = [{ ...twin, id: "x", aliases: [], provider: "openai", providerModel: "Llama-2-7b-chat-hf" }, twin];
    const yaml = `providers: { ${name}: { dialect: openai, api_key: k } }`;
    const problems = problemsOf(() => loadConfig({ environment: {}, file: writeConfig(yaml), providers, models }));
    expect(problems).toEqual([
      { path: `providers.${name}`, problem: `adds a second model ${twin.id}`, fix: "choose another name" },
    ]);
  });

  it("is described in the layout of the file, which reads back", () => {
    const yaml = `
providers:
  openai-eu: { dialect: openai, base_url: https://eu.example/v1, api_key: sk-secret }
  gpu: { dialect: chat-completions, base_url: http://h, enabled: false }
`;
    const described = describeConfig(load(yaml));
    expect(described).not.toContain("sk-secret");
    const sections = parse(described).providers;
    expect(sections).toMatchObject({
      "openai-eu": { enabled: true, dialect: "openai", base_url: "https://eu.example/v1", api_key: removed },
      gpu: { enabled: false, dialect: "chat-completions" },
    });
    const again = parse(describeConfig(load(stringify({ providers: sections }), { REMOVED: "sk-other" })));
    expect(again.providers).toEqual(sections);
  });
});

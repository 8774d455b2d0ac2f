import { describe, expect, it, vi } from "vitest";
import type { Environment } from "../../src/config/environment.ts";
import { loadConfig } from "../../src/config/load.ts";
import { listedModels, providers } from "../../src/providers/registry.ts";
import { dollar, problemsOf, writeConfig } from "./harness.ts";

const load = (yaml: string, environment: Environment = {}) =>
  loadConfig({ environment, file: writeConfig(yaml), providers, models: listedModels(environment) });
const mistakes = (yaml: string, environment: Environment = {}) =>
  Object.fromEntries(
    problemsOf(() => load(yaml, environment)).map(({ path, problem, fix }) => [path, `${problem}; ${fix}`]),
  );

describe("options of a provider", () => {
  it("parses options with the provider's schema and defaults", () => {
    const [engine] = load(
      "providers: { echo: { enabled: false }, llm-engine: { api_key: k, options: { api: v1 } } }",
    ).providers;
    expect(engine?.options).toEqual({ api: "v1", auth: "bearer", cold_start_ms: 600_000 });
  });

  it("reports invalid options with all other mistakes, each with path and fix", () => {
    const yaml = `
log: { level: loud }
providers:
  llm-engine: { api_key: k, options: { api: v9, nonsense: 1, cold_start_ms: -1 } }
  azure-openai: { base_url: "https://host", options: { key_type: entra-secret, authority: nowhere } }
  bedrock: { enabled: true, options: { regoin: eu-west-1 } }
  local: { options: { parallel: 65 } }
  groq: { options: { a: 1 } }
`;
    expect(mistakes(yaml)).toEqual({
      "log.level": expect.stringContaining("is not a valid value"),
      "providers.llm-engine.options.api": '"v9" is not a valid value; write one of v2, v1',
      "providers.llm-engine.options.nonsense": expect.stringContaining("is not a known key; write one of api, auth,"),
      "providers.llm-engine.options.cold_start_ms": "-1 is not a whole number; write a number from 0 to 2147483647",
      "providers.azure-openai.options.authority": expect.stringContaining("write it as https://host/path"),
      "providers.bedrock.options.regoin": "is not a known key; did you mean `region`?",
      "providers.local.options.parallel": "65 is not a whole number from 1 to 64; write a number from 1 to 64",
      "providers.groq.options.a": "is not a known key; remove it",
    });
  });

  it.each([
    ["bedrock: { enabled: true }", {}, "options.region"],
    ["bedrock: { enabled: true }", { AWS_DEFAULT_REGION: "eu-west-1" }, undefined],
    ["bedrock: { enabled: true, api_key: k, base_url: https://proxy.example }", {}, undefined],
    ["vertex: { enabled: true, api_key: k, options: { project: p1 } }", {}, "options.project"],
    ["vertex: { enabled: true, api_key: k }", { GOOGLE_CLOUD_PROJECT: "p1" }, undefined],
    ["azure-openai: { base_url: https://host, options: { key_type: entra-secret } }", {}, "options.key_type"],
    ["azure-openai: { enabled: false, options: { key_type: entra-secret } }", {}, undefined],
  ])("checks options together with other settings: %s with %o", (entry, environment, path) => {
    const [name] = entry.split(":");
    expect(Object.keys(mistakes(`providers: { ${entry} }`, environment))).toEqual(
      path === undefined ? [] : [`providers.${name}.${path}`],
    );
  });

  it("never quotes a variable's value in a mistake about options", () => {
    const yaml = `providers: { llm-engine: { api_key: k, options: { api: "${dollar}{SECRET}", auth: sk-written } } }`;
    const shown = JSON.stringify(mistakes(yaml, { SECRET: "sk-secret" }));
    expect(shown).toContain("sk-written");
    expect(shown).not.toContain("sk-secret");
  });
});

describe("the environment", () => {
  it("ignores the environment of the process", () => {
    const environment = {
      AWS_ACCESS_KEY_ID: "a",
      AWS_REGION: "us-east-1",
      GROQ_API_KEY: "k",
      AZURE_OPENAI_BASE_URL: "https://host",
      VERTEX_API_KEY: "k",
    };
    const before = [load("", {}), load("", environment)];
    for (const { variables, name } of providers) {
      const { apiKey, baseUrl, others = [] } = variables;
      if (baseUrl !== undefined) vi.stubEnv(baseUrl, `http://poison.example/${name}`);
      for (const variable of [apiKey, ...others]) if (variable !== undefined) vi.stubEnv(variable, "poison");
    }
    for (const variable of ["DRAGOMAN_CONFIG", "DRAGOMAN_GRPC_ADDRESS", "DRAGOMAN_LOG_LEVEL"]) {
      vi.stubEnv(variable, "poison");
    }
    for (const variable of ["AWS_ACCESS_KEY_ID", "GOOGLE_APPLICATION_CREDENTIALS"]) vi.stubEnv(variable, "poison");
    expect([load("", {}), load("", environment)]).toEqual(before);
    // Whether the local provider is configured depends on whether this machine has its model.
    const on = before[1]?.providers.flatMap(({ name }) => (name === "local" ? [] : name));
    expect(on).toEqual(["echo", "groq", "azure-openai", "vertex", "bedrock"]);
    vi.unstubAllEnvs();
  });

  it("passes an adapter only the variables that its definition names", () => {
    const environment = { AWS_ACCESS_KEY_ID: "a", AWS_REGION: "us-east-1", AWS_DEFAULT_REGION: "", HOME: "/" };
    const bedrock = load("", environment).providers.find(({ name }) => name === "bedrock");
    expect(bedrock?.variables).toEqual({ AWS_REGION: "us-east-1" });
  });
});

import { describe, expect, it } from "vitest";
import type { Environment } from "../../src/config/environment.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { ConfigurableProvider } from "../../src/config/provider.ts";
import { dialects, providers as registered } from "../../src/providers/registry.ts";
import { withFile } from "../support/service.ts";
import { load, pathsOf, providers } from "./harness.ts";

const states = (yaml: string, environment: Environment = {}) =>
  Object.fromEntries(load(yaml, environment).providerStatuses.map(({ name, on, reason }) => [name, [on, reason]]));

describe("a provider is on", () => {
  it("enables a provider by key, base URL, always or detection", () => {
    expect(states("")).toEqual({
      openai: [false, "set OPENAI_API_KEY to turn it on"],
      vllm: [false, "set VLLM_BASE_URL to turn it on"],
      echo: [true, "needs no configuration"],
      local: [false, "run `npm run demo` to fetch a model"],
    });
    expect(states("", { OPENAI_API_KEY: "k", VLLM_BASE_URL: "http://h" })).toMatchObject({
      openai: [true, "OPENAI_API_KEY is set"],
      vllm: [true, "VLLM_BASE_URL is set"],
    });
    const ready = providers.map((known) => ({ ...known, detect: () => undefined }));
    expect(loadConfig({ environment: {}, providers: ready }).providerStatuses.at(-1)).toEqual({
      name: "local",
      on: true,
      reason: "ready",
      family: "local",
    });
  });

  it("enables a provider by a key or base URL in the file", () => {
    expect(states("providers: { openai: { api_key: k }, vllm: { base_url: http://h } }")).toMatchObject({
      openai: [true, "providers.openai.api_key is set"],
      vllm: [true, "providers.vllm.base_url is set"],
    });
  });

  it("lets `enabled` override the other conditions", () => {
    const yaml = "providers: { openai: { enabled: false }, echo: { enabled: false }, local: { enabled: true } }";
    expect(states(yaml, { OPENAI_API_KEY: "k" })).toMatchObject({
      openai: [false, "providers.openai.enabled is false"],
      echo: [false, "providers.echo.enabled is false"],
      local: [true, "providers.local.enabled is true"],
    });
  });

  it("does not check the variables of a disabled provider", () => {
    const yaml = "providers: { openai: { enabled: false } }";
    expect(pathsOf(yaml, { OPENAI_API_KEY: "not a key", OPENAI_BASE_URL: "nonsense" })).toEqual([]);
  });

  it("returns settings of configured providers only", () => {
    expect(load("", { OPENAI_API_KEY: "k" }).providers.map(({ name }) => name)).toEqual(["openai", "echo"]);
  });
});

describe("settings of a provider", () => {
  it("uses default settings for a provider", () => {
    const [openai] = load("", { OPENAI_API_KEY: " k\n" }).providers;
    expect(openai).toMatchObject({
      name: "openai",
      baseUrl: "https://api.openai.com/v1",
      headers: {},
      timeouts: { connectMs: 10_000, firstEventMs: 300_000, idleMs: 120_000 },
      maxConnections: 256,
      maxQueue: 1024,
      options: {},
    });
    expect(openai?.apiKey?.reveal()).toBe("k");
  });

  it("reads provider settings from the file", () => {
    const yaml = `
providers:
  openai:
    api_key: k
    base_url: https://host/v2//
    headers: { X-Team: "1" }
    timeouts: { connect: 1s, first_event: 0, idle: 3s }
    max_connections: 5
    options: { nested: { list: [1, true] } }
`;
    expect(load(yaml).providers[0]).toMatchObject({
      baseUrl: "https://host/v2",
      headers: { "x-team": "1" },
      timeouts: { connectMs: 1000, firstEventMs: 0, idleMs: 3000 },
      maxConnections: 5,
      options: { nested: { list: [1, true] } },
    });
  });

  it.each([
    ["on", true],
    ["true", true],
    ["off", false],
    ["false", false],
  ])("reads the switch http2: %s", (value, expected) => {
    expect(load(`providers: { openai: { api_key: k, http2: ${value} } }`).providers[0]?.http2).toBe(expected);
  });

  it("has HTTP/2 off by default", () => {
    expect(load("providers: { openai: { api_key: k } }").providers[0]?.http2).toBe(false);
  });

  it.each([
    "openai: { http2: maybe }",
    "openai: { api_key: k, base_url: http://host, http2: on }",
    "vllm: { base_url: http://host:8000, http2: on }",
    "echo: { http2: on }",
  ])("rejects HTTP/2 in %s", (section) => {
    const name = section.split(":")[0];
    expect(pathsOf(`providers: { ${section} }`)).toEqual([`providers.${name}.http2`]);
  });

  it("lists the models of own servers by default, and of others if list_models is on", () => {
    const yaml = `providers:
      openai: { api_key: k }
      groq: { api_key: k, list_models: on }
      vllm: { base_url: http://h }
      ollama: { base_url: http://h, list_models: off }
      any: { dialect: chat-completions, base_url: http://h }
      other: { dialect: deepinfra, api_key: k }`;
    const config = withFile(yaml, (file) => loadConfig({ environment: {}, providers: registered, dialects, file }));
    const listing = config.providers.map(({ name, listsModels }) => [name, listsModels]);
    expect(Object.fromEntries(listing)).toMatchObject({
      ...{ openai: false, groq: true, vllm: true, ollama: false, any: true, other: false, echo: undefined },
    });
  });

  it("rejects list_models of a provider whose models cannot be listed", () => {
    expect(pathsOf("providers: { echo: { list_models: on } }")).toEqual(["providers.echo.list_models"]);
  });

  it("gives each provider the queue of `limits.max_queue_per_provider`", () => {
    const yaml = "limits: { max_queue_per_provider: 3 }";
    const environment = { OPENAI_API_KEY: "k", VLLM_BASE_URL: "http://h" };
    expect(load(yaml, environment).providers.map(({ name, maxQueue }) => [name, maxQueue])).toEqual([
      ["openai", 3],
      ["vllm", 3],
      ["echo", 3],
    ]);
  });

  it("prefers the variable's base URL and the file's key", () => {
    const yaml = "providers: { openai: { api_key: file, base_url: http://file } }";
    const [openai] = load(yaml, { OPENAI_API_KEY: "variable", OPENAI_BASE_URL: "http://variable/" }).providers;
    expect(openai?.apiKey?.reveal()).toBe("file");
    expect(openai?.baseUrl).toBe("http://variable");
  });

  it.each([
    "ftp://host",
    "host:80",
    "https://u:p@host",
    "https://host?a=b",
    "https://host#a",
    "",
  ])("rejects %j as a base URL", (url) =>
    expect(pathsOf(`providers: { openai: { base_url: "${url}" } }`)).toEqual(["providers.openai.base_url"]));

  it.each(["a b", "", "schlüssel", "a\\nb"])("rejects %j as a provider's API key", (key) =>
    expect(pathsOf(`providers: { openai: { api_key: "${key}" } }`)).toEqual(["providers.openai.api_key"]));

  it.each(['"a b": c', 'a: "b\\nc"', "a: 1", "a: b, A: c"])("rejects the headers %s", (headers) =>
    expect(pathsOf(`providers: { openai: { headers: { ${headers} } } }`)).toEqual(["providers.openai.headers"]));

  it("rejects a key or base URL that the provider does not use", () => {
    expect(pathsOf("providers: { echo: { api_key: k, base_url: http://h } }")).toEqual([
      "providers.echo.base_url",
      "providers.echo.api_key",
    ]);
  });
});

describe("a provider that is enabled in the file", () => {
  it("requires a key unless a base URL or headers are set", () => {
    expect(pathsOf("providers: { openai: { enabled: true } }")).toEqual(["providers.openai.api_key"]);
    expect(pathsOf("providers: { openai: { enabled: true, base_url: http://h } }")).toEqual([]);
    expect(pathsOf("providers: { openai: { enabled: true, headers: { x-key: k } } }")).toEqual([]);
    expect(pathsOf("providers: { openai: { enabled: true } }", { OPENAI_API_KEY: "k" })).toEqual([]);
  });

  it.each([
    ["http://host:11434", "http://host:11434/v1"],
    ["http://host:11434/", "http://host:11434/v1"],
    ["http://host:11434/v1", "http://host:11434/v1"],
    ["http://host:11434/v1/", "http://host:11434/v1"],
    ["http://host/models/api", "http://host/models/api"],
  ])("adds the usual path of a server that operators run: %s", (written, used) => {
    const own = [{ ...providers[1], name: "vllm", usualPath: "/v1" } as ConfigurableProvider];
    const settings = loadConfig({ environment: { VLLM_BASE_URL: written }, providers: own }).providers;
    expect(settings.map(({ baseUrl }) => baseUrl)).toEqual([used]);
  });

  it("requires a base URL if there is no default", () => {
    expect(pathsOf("providers: { vllm: { enabled: true } }")).toEqual(["providers.vllm.base_url"]);
    expect(pathsOf("providers: { vllm: { enabled: true } }", { VLLM_BASE_URL: "http://h" })).toEqual([]);
  });
});

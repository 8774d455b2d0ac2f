import { resolve } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { changesBetween } from "../../src/config/changes.ts";
import { describeConfig } from "../../src/config/describe.ts";
import { removed } from "../../src/config/described.ts";
import { dollar, load } from "./harness.ts";

it("describes the resolved configuration with reasons and without secrets", () => {
  const yaml = `
http: { address: "[::1]:0" }
authentication: { keys: [{ id: a, sha256: ${"0123456789abcdef".repeat(4)}, accounts: [one, two], default_account: two }] }
limits: { max_call_duration: 90s }
providers:
  openai: { api_key: sk-secret, headers: { x-key: sk-secret }, options: { region: sk-secret, retries: 2, list: [sk-secret] } }
`;
  const shown = describeConfig(load(yaml));
  expect(shown).not.toContain("sk-secret");
  expect(parse(shown)).toEqual({
    workers: 1,
    grpc: { address: "127.0.0.1:50051", reflection: "on" },
    http: { address: "[::1]:0", stream_headers_after: "15s", allowed_hosts: [], cors_origins: [] },
    authentication: {
      mode: "keys",
      require_account: false,
      keys: [
        {
          ...{
            id: "a",
            sha256: "0123456789abcdef".repeat(4),
            accounts: ["one", "two"],
            default_account: "two",
            role: "caller",
          },
          models: ["*"],
        },
      ],
    },
    accounts: {},
    limits: {
      max_request_size: "16MiB",
      max_values: 250000,
      max_answer_size: "64MiB",
      max_call_duration: "90s",
      max_request_duration: "30s",
      max_bytes_in_flight: "256MiB",
      max_connections: 8192,
      max_connections_per_address: 4096,
      max_streams: 16384,
      max_streams_per_address: 8192,
      max_concurrent_streams: 4096,
      max_queue_per_provider: 1024,
      max_template_processes: 3,
      max_template_processes_per_account: 2,
      max_counting_queue: "32MiB",
      max_counting_work: "2s",
      max_counting_time: "5s",
      max_event_loop_lag: "1s",
      heap_share: 0.85,
      provider_options: "on",
    },
    shutdown: { delay: "0s", grace: "30s" },
    grpc_connection: { max_age: "10m", max_idle: "10m", keepalive: "1m" },
    log: { level: "info", max_buffer_size: "64MiB" },
    providers: {
      openai: {
        enabled: true,
        base_url: "https://api.openai.com/v1",
        api_key: removed,
        headers: { "x-key": removed },
        timeouts: { connect: "10s", first_event: "5m", idle: "2m" },
        max_connections: 256,
        http2: "off",
        trace_context: "off",
        options: { region: removed, retries: 2, list: [removed] },
      },
      vllm: { enabled: false },
      echo: expect.objectContaining({ enabled: true }),
      local: { enabled: false },
    },
    models: {},
    prices: {},
    state: {},
    store: {
      database: `sqlite:${resolve("data/dragoman.db")}`,
      outbox: resolve("data/outbox"),
      durability: "process",
      on_full: "drop",
      max_outbox_size: "1GiB",
      retention: { calls: "30d", hours: "400d" },
      sinks: {},
    },
    telemetry: { max_account_labels: 0 },
    deployments: {},
    routes: {},
    breaker: {
      window: "30s",
      min_calls: 10,
      failure_ratio: 0.5,
      consecutive: 5,
      open: "5s",
      open_max: "1m",
      ramp: "30s",
      max_open_share: 0.5,
    },
  });
});

it("prints why each provider is on or off as a comment", () => {
  const shown = describeConfig(load("", { OPENAI_API_KEY: "sk-secret" }));
  expect(shown).toContain("  # OPENAI_API_KEY is set\n  openai:\n    enabled: true\n");
  expect(shown).toContain("  # set VLLM_BASE_URL to turn it on\n  vllm:\n    enabled: false\n");
});

it("prints references of the file and variables as they are, and reports each other secret", () => {
  const yaml = `
accounts: { one: { display_name: "costs $${dollar}{5}" } }
providers:
  openai: { headers: { a: "Bearer ${dollar}{TOKEN}", b: sk-secret, c: "sk-${dollar}{TOKEN}", d: "${dollar}{TOKEN:-sk-secret}" } }
  eu: { dialect: openai, base_url: http://eu, keys: [{ name: a, value: "${dollar}{TOKEN}" }, { name: b, value: sk-secret }] }
state: { redis: "redis://:${dollar}{TOKEN}@h" }
store: { database: "postgres://me:${dollar}{TOKEN}@h/db" }
`;
  const environment = { TOKEN: "word", OPENAI_API_KEY: "sk-secret" };
  const written = parse(yaml);
  const config = load(yaml, environment);
  const reported: string[] = [];
  const shown = describeConfig(config, { written, folder: "/" }, (path) => reported.push(path));
  expect(shown).not.toMatch(/sk-secret|word/);
  const { accounts, providers, state, store } = parse(shown);
  expect(accounts.one.display_name).toBe(`costs $${dollar}{5}`);
  expect(providers.openai.api_key).toBe(`${dollar}{OPENAI_API_KEY}`);
  expect(providers.openai.headers).toEqual({ a: `Bearer ${dollar}{TOKEN}`, b: removed, c: removed, d: removed });
  expect(providers.eu.keys.map(({ value }: { value: string }) => value)).toEqual([`${dollar}{TOKEN}`, removed]);
  expect([state.redis, store.database]).toEqual([written.state.redis, written.store.database]);
  const headers = ["b", "c", "d"].map((name) => `providers.openai.headers.${name}`);
  expect(reported).toEqual([...headers, "providers.eu.keys[1].value"]);
  const again = load(shown, { ...environment, REMOVED: "sk-secret" });
  expect(changesBetween(config, again).keys).toEqual(["providers"]);
  expect(
    load(describeConfig(again, { written: parse(shown), folder: "/" }), { ...environment, REMOVED: "x" }),
  ).toBeDefined();
});

it("describes resolved models and deployments", () => {
  const yaml = `
profile: plain
models:
  gpt-4o: { max_output_tokens: 9, capabilities: { tools: true } }
  vllm/mine: { display_name: Mine, profile: cerebras }
deployments:
  bot:
    model: gpt-4o
    account: a1
    completion_only: true
    parameters: [{ name: tone, type: string, required: true }]
`;
  const { profile, models, deployments } = parse(describeConfig(load(yaml)));
  expect(profile).toBe("plain");
  const facts = {
    context_window: 128_000,
    max_output_tokens: 9,
    max_temperature: 2,
    family: "openai-chat",
    capabilities: expect.objectContaining({ tools: true, system_messages: true, regex: false }),
  };
  const gpt = { provider: "openai", provider_model: "gpt-4o", aliases: ["omni"], display_name: "GPT-4o" };
  const bot = { model: "openai/gpt-4o", account: "a1", completion_only: true, display_name: "bot" };
  expect(models).toEqual({
    "gpt-4o": { ...gpt, ...facts },
    "vllm/mine": { provider: "vllm", provider_model: "mine", aliases: [], display_name: "Mine", profile: "cerebras" },
  });
  expect(deployments).toEqual({
    bot: {
      ...bot,
      profile: "egp-deployment",
      ...facts,
      template_family: "none",
      parameters: [{ name: "tone", type: "string", required: true }],
    },
  });
});

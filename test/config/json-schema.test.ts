import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import type { JsonForm } from "../../src/config/json-forms.ts";
import { configJsonSchema } from "../../src/config/json-schema.ts";
import { dialects } from "../../src/providers/registry.ts";
import { dollar, load, problemsOf, temporaryFolder } from "./harness.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(resolve(root, path), "utf8");
const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
const isValid = ajv.compile(configJsonSchema(dialects));

/** Returns the mistakes that the JSON Schema finds in a configuration. */
function schemaErrors(config: unknown): string {
  return isValid(config) ? "" : ajv.errorsText(isValid.errors, { dataVar: "" });
}

/** The configurations of the documents, the example file and the chart. */
const examples: readonly (readonly [source: string, yaml: string])[] = [
  ["dragoman.example.yaml", read("dragoman.example.yaml")],
  ...globSync(["README.md", "docs/*.md"], { cwd: root }).flatMap((path) =>
    [...read(path).matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
      ([, yaml = ""], index) => [`${path} ${index}`, yaml] as const,
    ),
  ),
  ...globSync(["deploy/chart/values.yaml", "deploy/chart/examples/*.yaml"], { cwd: root }).map(
    (path) => [path, stringify(parse(read(path)).config)] as const,
  ),
  ...globSync("deploy/*/dragoman.yaml", { cwd: root }).map((path) => [path, read(path)] as const),
];

/** A configuration with a value of nearly every kind. */
const complete = `
grpc: { address: 127.0.0.1:0, reflection: authenticated }
http: { allowed_hosts: [a.example], cors_origins: ["https://a.example"], stream_headers_after: 5s }
authentication:
  keys:
    - id: a
      sha256: ${"0a".repeat(32)}
      accounts: [one]
      role: viewer
      models: ["gpt-*"]
      expires: 2027-12-31
      limits: { requests_per_minute: 60, shadow: true }
  require_account: false
accounts:
  one:
    display_name: One
    limits: { tokens_per_minute: 1000000 }
    budgets: [{ amount_usd: "10.50", period: month, time_zone: Europe/Berlin, warn_at: 80%, unpriced: allow }]
    on_store_loss: deny
limits: { max_request_size: 16MiB, max_values: 1000, heap_share: 0.5, max_queue_per_provider: 16, provider_options: off }
shutdown: { delay: 5s, grace: 1m }
log: { level: warn }
profile: plain
models:
  gpt-4o:
    context_window: 1000
    max_temperature: 1.5
    capabilities: { tools: true }
    reasoning_efforts: [none, low]
    supported_parameters: [parameters.temperature]
    parameters: [{ name: tone, type: string, required: true }]
deployments:
  support: { model: gpt-4o, account: one }
routes:
  fast:
    tiers: [{ targets: [{ model: gpt-4o, weight: 2.5 }], balance: latency }]
    affinity: off
    attempts: { max: 4 }
    retry: { backoff: { initial: 100ms, max: 2s }, budget: 0.2 }
    hedge: { after: p95, budget: 2% }
    require: [tools]
breaker: { window: 30s, min_calls: 10, failure_ratio: 0.5 }
prices:
  gpt-4o: { input: "2.50", output: 10 }
state: { redis: "redis://me:secret@redis.example:6379/0", prefix: p }
store: { database: "sqlite:a.db", max_outbox_size: 2TiB, retention: { calls: 90d, hours: 0 } }
providers:
  openai:
    keys: [{ name: a, value: key-a, weight: 2 }]
    headers: { x-a: b }
    timeouts: { idle: 0 }
    proxy: none
    max_connections: 8
    http2: on
  house: { dialect: vllm, base_url: "http://127.0.0.1:1/v1" }
`;

/** Values that at least one kind of scalar accepts, and others. */
const values = [
  ...[null, true, false, 0, 1, 2, 0.5, -1, 1e21, "", "on", "off", "true", "0", "7", "007", "0.25", "2.", "85%", "101%"],
  ...[
    "10m",
    "10 m",
    "1h30m",
    "0s",
    "30d",
    "16MiB",
    "1.5MiB",
    "2TiB",
    "text",
    "two words",
    "none",
    "auto",
    "p95",
    "keys",
  ],
  ...[
    "LOW",
    "month",
    "UTC",
    "+02:00",
    "2027-12-31",
    "2027-12-31T17:00:00Z",
    "HTTPS://a.example/v1/",
    "ftp://a",
    "a.example",
  ],
  ...["[::1]:80", "[::2]", "127.1:80", "http://u:p@a.example?b", "redis://a", "rediss://b:1/2", "sqlite:", "sqlite:x"],
  ...["postgres://h/d", "ab".repeat(32), "AB".repeat(32), "0.0000001", "1.5000000", "1e3", "tools", "plain", "gpt-4o"],
  ...[[], ["text"], [1], {}, { model: "gpt-4o" }, { a: "b" }, { a: 1 }],
];

/** Paths of all values in a tree. */
function pathsIn(value: unknown, path: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] {
  if (typeof value !== "object" || value === null) return [path];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [...(path.length > 0 ? [path] : []), ...entries.flatMap(([key, item]) => pathsIn(item, [...path, key]))];
}

function replaced(tree: unknown, [key, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(tree)) return tree.map((item, index) => (index === key ? replaced(item, rest, value) : item));
  const entries = Object.entries(tree as Readonly<Record<string, unknown>>);
  return Object.fromEntries(entries.map(([name, item]) => [name, name === key ? replaced(item, rest, value) : item]));
}

describe("the JSON Schema of the configuration", () => {
  it.each(examples)("accepts the configuration in %s", (_, yaml) => {
    expect(schemaErrors(parse(yaml))).toBe("");
  });

  it("accepts every configuration that the service accepts", () => {
    const tree: unknown = parse(complete);
    const folder = temporaryFolder();
    expect(problemsOf(() => load(complete, {}, folder))).toEqual([]);
    expect(schemaErrors(tree)).toBe("");
    const paths = pathsIn(tree);
    let accepted = 0;
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.constantFrom(...values), (path, value) => {
        const changed = replaced(tree, path, value);
        if (problemsOf(() => load(stringify(changed), {}, folder)).length > 0) return;
        accepted++;
        expect(schemaErrors(changed)).toBe("");
      }),
      { numRuns: 150 },
    );
    expect(accepted).toBeGreaterThan(5);
  });

  it.each([
    ["grpc: { adress: '127.0.0.1:1' }", "grpc.adress", "/grpc must NOT have additional properties"],
    ["http: { address: 8080 }", "http.address", "/http/address"],
    ["limits: { max_call_duration: soon }", "limits.max_call_duration", "/limits/max_call_duration"],
    ["limits: { max_call_duration: 0 }", "limits.max_call_duration", "/limits/max_call_duration"],
    ["limits: { max_request_size: 16Mb }", "limits.max_request_size", "/limits/max_request_size"],
    ["limits: { max_values: 0 }", "limits.max_values", "/limits/max_values"],
    ["limits: { heap_share: 2 }", "limits.heap_share", "/limits/heap_share"],
    ["limits: { provider_options: maybe }", "limits.provider_options", "/limits/provider_options"],
    ["authentication: { mode: on }", "authentication.mode", "/authentication/mode"],
    ["authentication: { keys: [{ id: a }] }", "authentication.keys[0].sha256", "must have required property 'sha256'"],
    ["authentication: { keys: a }", "authentication.keys", "/authentication/keys must be array"],
    ["accounts: { a: { budgets: [{ amount_usd: 1 }] } }", "accounts.a.budgets[0].period", "property 'period'"],
    [
      "routes: { a: { tiers: [{ targets: [gpt-4o] }] } }",
      "routes.a.tiers[0].targets[0]",
      "/routes/a/tiers/0/targets/0",
    ],
    ["routes: { a: { require: [vision] } }", "routes.a.require[0]", "/routes/a/require/0"],
    ["models: { gpt-4o: { reasoning_efforts: [huge] } }", "models.gpt-4o.reasoning_efforts[0]", "/reasoning_efforts/0"],
    ["prices: { gpt-4o: { input: '-1', output: '1' } }", "prices.gpt-4o.input", "/prices/gpt-4o/input"],
    ["providers: { openai: { http2: 2 } }", "providers.openai.http2", "/providers/openai/http2"],
    ["store: { database: mysql://a/b }", "store.database", "/store/database"],
    ["state: { redis: 'http://a' }", "state.redis", "/state/redis"],
  ])("rejects what the service rejects: %s", (yaml, path, error) => {
    expect(problemsOf(() => load(yaml)).map((problem) => problem.path)).toContain(path);
    expect(schemaErrors(parse(yaml))).toContain(error);
  });

  it("accepts references to variables in place of every scalar, and sections without a line", () => {
    expect(
      schemaErrors(
        parse(
          `limits: { max_values: "${dollar}{A}", heap_share: "${dollar}{B:-0.5}" }\nroutes:\nproviders: { openai: }`,
        ),
      ),
    ).toBe("");
  });

  it("describes every value but the options of a provider", () => {
    const undescribed = (form: unknown, path: string): readonly string[] => {
      if (typeof form !== "object" || form === null) return [];
      const { description, properties, additionalProperties, items, anyOf, allOf, type } = form as JsonForm;
      if (Object.keys(form).length === 0 || (type === undefined && !anyOf && !allOf)) return [path];
      if (description !== undefined) return [];
      const inside = {
        ...properties,
        ...(additionalProperties && { "*": additionalProperties }),
        ...(items && { "[]": items }),
      };
      return Object.entries(inside).flatMap(([name, item]) => undescribed(item, `${path}.${name}`));
    };
    const { definitions, ...file } = configJsonSchema(dialects);
    expect(undescribed(file, "")).toEqual([".providers.*"]);
    expect(undescribed(Object.values(definitions ?? {})[0], "provider")).toEqual(["provider.options.*"]);
  });

  it("knows the options of each provider", () => {
    expect(schemaErrors({ providers: { vertex: { options: { project: "p", location: "eu" } } } })).toBe("");
    expect(schemaErrors({ providers: { vertex: { options: { zone: "eu" } } } })).toContain("/providers/vertex/options");
    expect(schemaErrors({ providers: { vertex: { option: {} } } })).toContain("additional properties");
    expect(schemaErrors({ providers: { vertex: null } })).toBe("");
  });
});

import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { changesBetween, restartKeys } from "../../src/config/changes.ts";
import type { Config } from "../../src/config/config.ts";
import { describeConfig } from "../../src/config/describe.ts";
import { reloadRules, withFixed } from "../../src/config/reload-rules.ts";
import { fileSchema } from "../../src/config/schema.ts";
import { load, temporaryFolder } from "./harness.ts";

/** The parts of a zod schema's definition that lead to the keys of a section. */
interface Definition {
  readonly innerType?: { readonly def: Definition };
  readonly shape?: Readonly<Record<string, { readonly def: Definition }>>;
}

/** Returns the keys that a schema has, down to those that have a rule and no further ones below them. */
function keysOf({ innerType, shape }: Definition, path = ""): readonly string[] {
  if (innerType !== undefined) return keysOf(innerType.def, path);
  const hasRule = Object.hasOwn(reloadRules, path);
  const hasFurther = path === "" || Object.keys(reloadRules).some((key) => key.startsWith(`${path}.`));
  if (shape === undefined || (hasRule && !hasFurther)) return [path];
  const below = Object.entries(shape).flatMap(([key, { def }]) => keysOf(def, path === "" ? key : `${path}.${key}`));
  return hasRule ? [path, ...below] : below;
}

const sha256 = "ab".repeat(32);
const formerKey = `authentication: { keys: [{ id: former, sha256: "${"cd".repeat(32)}" }] }`;

/** A value of each key that is not the default. */
const values: Readonly<Record<string, string>> = {
  "grpc.address": "127.0.0.1:9",
  "grpc.reflection": "off",
  "http.address": "127.0.0.1:9",
  "http.stream_headers_after": "1s",
  "http.allowed_hosts": "[a.example]",
  "http.cors_origins": "[https://a.example]",
  "authentication.mode": "off",
  "authentication.keys": `[{ id: one, sha256: "${sha256}" }]`,
  "authentication.require_account": "true",
  accounts: "{ one: { display_name: One } }",
  "limits.max_request_size": "1MiB",
  "limits.max_values": "7",
  "limits.max_answer_size": "1MiB",
  "limits.max_call_duration": "1m",
  "limits.max_request_duration": "1s",
  "limits.max_bytes_in_flight": "1MiB",
  "limits.max_connections": "7",
  "limits.max_connections_per_address": "7",
  "limits.max_streams": "7",
  "limits.max_streams_per_address": "7",
  "limits.max_concurrent_streams": "7",
  "limits.max_calls_per_model": "7",
  "limits.max_queue_per_provider": "7",
  "limits.max_template_processes": "7",
  "limits.max_template_processes_per_account": "1",
  "limits.max_counting_queue": "1MiB",
  "limits.max_counting_work": "1s",
  "limits.max_counting_time": "1s",
  "limits.max_event_loop_lag": "2s",
  "limits.heap_share": "0.5",
  "limits.provider_options": "off",
  "shutdown.delay": "1s",
  "shutdown.grace": "1s",
  "grpc_connection.max_age": "1m",
  "grpc_connection.max_idle": "1m",
  "grpc_connection.keepalive": "2m",
  "log.level": "debug",
  "log.max_buffer_size": "1MiB",
  providers: "{ openai: { api_key: sk-one } }",
  profile: "cerebras",
  models: "{ one: { provider: echo, provider_model: one } }",
  deployments: "{ one: { model: echo/echo } }",
  routes: "{ fast: { tiers: [{ targets: [{ model: echo/echo }] }] } }",
  breaker: "{ consecutive: 7 }",
  prices: '{ echo/echo: { input: "1", output: "1" } }',
  "state.redis": "redis://127.0.0.1:9",
  "state.prefix": "other",
  "store.database": "sqlite:other.db",
  "store.outbox": "other",
  "store.durability": "async",
  "store.on_full": "refuse",
  "store.max_outbox_size": "1MiB",
  "store.retention": "{ calls: 1d }",
  workers: "2",
  "store.sinks": "{ otlp: { endpoint: http://127.0.0.1:9 } }",
  "telemetry.metrics_address": "127.0.0.1:9",
  "telemetry.max_account_labels": "7",
};

/** What else changes together with a key. */
const alsoChanged: Readonly<Record<string, readonly string[]>> = {
  "authentication.keys": ["authentication.mode"],
  "limits.max_queue_per_provider": ["providers"],
  "state.redis": ["state.prefix"],
};

/** Returns a further line of the section of a key, which makes it a section that the file has. */
function lineBeside(key: string): string | undefined {
  if (key === "state.prefix") return "redis: redis://127.0.0.1:9";
  if (!key.startsWith("store.")) return undefined;
  return key === "store.durability" ? "on_full: drop" : "durability: process";
}

/** Returns two files that differ in a key. */
function filesFor(key: string): readonly [running: string, next: string] {
  const [section, name] = key.split(".");
  const value = values[key];
  if (name === undefined) return ["{}", `${section}: ${value}`];
  const beside = lineBeside(key);
  if (beside === undefined) return ["{}", `${section}: { ${name}: ${value} }`];
  return [`${section}: { ${beside} }`, `${section}: { ${beside}, ${name}: ${value} }`];
}

/** Sets TLS files, which need not be valid here. */
function withTls(config: Config, name: "grpc" | "http", clientAuthority?: Buffer): Config {
  const tls = { certificate: Buffer.from(randomUUID()), key: Buffer.from(randomUUID()), clientAuthority };
  return { ...config, [name]: { ...config[name], tls } };
}

describe("the rules of a reload", () => {
  it("decide about each key of the file", () => {
    const keys = keysOf(fileSchema.def as unknown as Definition);
    expect([...keys].sort()).toEqual(Object.keys(reloadRules).sort());
  });

  const withoutTls = Object.keys(reloadRules).filter((key) => !key.includes(".tls"));
  it.each(withoutTls)("see a change of %s", (key) => {
    const folder = temporaryFolder();
    const [running, next] = filesFor(key).map((file) => load(file, {}, folder)) as [Config, Config];
    const needsRestart = reloadRules[key]?.follows === "restart";
    const { keys } = changesBetween(running, next);
    expect([...keys].sort()).toEqual([key, ...(alsoChanged[key] ?? [])].sort());
    expect(restartKeys(running, next)).toEqual(needsRestart ? keys : []);
    expect(changesBetween(running, withFixed(next, running)).keys).toEqual(needsRestart ? [] : keys);
  });

  it.each(withoutTls)("know no change of %s after a read back of what check prints", (key) => {
    const folder = temporaryFolder();
    const config = load(filesFor(key)[1], {}, folder);
    const again = load(describeConfig(config), { REMOVED: "sk-one" }, folder);
    // The reasons why providers are on or off differ.
    expect(changesBetween({ ...config, providerStatuses: again.providerStatuses }, again).keys).toEqual([]);
  });

  it.each(["grpc", "http"] as const)("let %s replace TLS files, but neither begin nor end TLS", (name) => {
    const plain = load("{}");
    const [one, other] = [withTls(plain, name), withTls(plain, name)];
    expect(changesBetween(one, withFixed(other, one)).keys).toEqual([`${name}.tls.certificate`, `${name}.tls.key`]);
    expect(restartKeys(one, other)).toEqual([]);
    for (const [running, next] of [
      [plain, one],
      [one, plain],
      [one, withTls(plain, name, Buffer.from("ca"))],
    ] as const) {
      expect(restartKeys(running, next)).toEqual([`${name}.tls`]);
      expect(withFixed(next, running)[name].tls).toBe(running[name].tls);
    }
  });

  it("name what was added, removed and changed, without secrets", () => {
    const running = load(`
      ${formerKey}
      providers: { openai: { api_key: sk-secret-1 }, vllm: { base_url: http://127.0.0.1:9, api_key: sk-secret-2 } }
      routes: { kept: { tiers: [{ targets: [{ model: echo/echo }] }] } }`);
    const next = load(`
      authentication: { keys: [{ id: latter, sha256: "${sha256}" }] }
      providers: { openai: { api_key: sk-secret-3 }, echo: { enabled: true } }
      routes: { kept: { tiers: [{ targets: [{ model: echo/echo }] }] } }`);
    const changes = changesBetween(running, next);
    expect(changes).toEqual({
      keys: ["authentication.keys", "providers"],
      names: {
        "authentication.keys": { added: ["latter"], removed: ["former"] },
        providers: { removed: ["vllm"], changed: ["openai"] },
      },
    });
    expect(JSON.stringify(changes)).not.toMatch(/secret|abab|cdcd/);
  });
});

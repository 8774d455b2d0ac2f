import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { defaultBreaker } from "../../src/config/route.ts";
import { dollar, load, pathsOf, problemsOf, providers, writeConfig } from "./harness.ts";

const hash = (key: string) => createHash("sha256").update(key).digest("hex");
const keys = (...ids: readonly string[]) =>
  `authentication: { keys: [${ids.map((id) => `{ id: ${id}, sha256: "${hash(id)}" }`).join(", ")}] }`;

describe("without a file", () => {
  it("uses the defaults without a file", () => {
    const config = loadConfig({ environment: {} });
    expect(config).toEqual({
      workers: 1,
      grpc: { host: "127.0.0.1", port: 50051, tls: undefined, reflection: "on" },
      http: {
        host: "127.0.0.1",
        port: 8080,
        tls: undefined,
        streamHeadersAfterMs: 15_000,
        allowedHosts: [],
        corsOrigins: [],
      },
      authentication: { mode: "loopback", keys: [], requireAccount: false },
      accounts: [],
      limits: {
        maxRequestBytes: 16_777_216,
        maxValues: 250_000,
        maxAnswerBytes: 67_108_864,
        maxCallMs: 600_000,
        maxRequestMs: 30_000,
        maxBytesInFlight: 268_435_456,
        maxConnections: 8192,
        maxConnectionsPerAddress: 4096,
        maxStreams: 16_384,
        maxStreamsPerAddress: 8192,
        maxConcurrentStreams: 4096,
        maxQueuePerProvider: 1024,
        maxTemplateProcesses: 3,
        maxTemplateProcessesPerAccount: 2,
        maxCountingQueueBytes: 33_554_432,
        maxCountingWorkMs: 2000,
        maxCountingTimeMs: 5000,
        maxEventLoopLagMs: 1000,
        heapShare: 0.85,
        providerOptions: "on",
      },
      shutdown: { delayMs: 0, graceMs: 30_000 },
      grpcConnection: { maxAgeMs: 600_000, maxIdleMs: 600_000, keepaliveMs: 60_000 },
      log: { level: "info", maxBufferBytes: 67_108_864 },
      providers: [],
      providerStatuses: [],
      profile: undefined,
      listedModels: [],
      models: [],
      routes: [],
      breaker: defaultBreaker,
      prices: [],
      store: {
        isWritten: false,
        database: {
          kind: "sqlite",
          name: `sqlite:${resolve("data/dragoman.db")}`,
          path: resolve("data/dragoman.db"),
        },
        outbox: resolve("data/outbox"),
        durability: "process",
        onFull: "drop",
        maxOutboxBytes: 1_073_741_824,
        retention: { callsMs: 30 * 86_400_000, hoursMs: 400 * 86_400_000 },
        sinks: { otlp: undefined },
      },
      telemetry: { metricsAddress: undefined, maxAccountLabels: 0, otel: undefined },
    });
  });

  it("reads addresses, authentication mode and log level from variables", () => {
    const config = loadConfig({
      environment: {
        DRAGOMAN_GRPC_ADDRESS: "0.0.0.0:1",
        DRAGOMAN_HTTP_ADDRESS: "[::]:2",
        DRAGOMAN_AUTHENTICATION: "off",
        DRAGOMAN_LOG_LEVEL: "debug",
      },
    });
    expect(config.grpc).toMatchObject({ host: "0.0.0.0", port: 1 });
    expect(config.http).toMatchObject({ host: "::", port: 2 });
    expect(config.authentication.mode).toBe("off");
    expect(config.log.level).toBe("debug");
  });

  it("reports an invalid variable under its name", () => {
    const environment = {
      DRAGOMAN_GRPC_ADDRESS: "nonsense",
      DRAGOMAN_LOG_LEVEL: "loud",
      DRAGOMAN_AUTHENTICATION: "maybe",
      OPENAI_BASE_URL: "ftp://host",
    };
    const problems = problemsOf(() => loadConfig({ environment, providers }));
    expect(problems.map(({ path }) => path).sort()).toEqual(Object.keys(environment).sort());
  });

  it.each([
    ["http: { address: 127.0.0.1:50051 }", "http.address", "grpc.address"],
    ["telemetry: { metrics_address: 127.0.0.1:50051 }", "telemetry.metrics_address", "grpc.address"],
    ["telemetry: { metrics_address: 0.0.0.0:8080 }", "telemetry.metrics_address", "http.address"],
  ])("reports two listeners with one port: %s", (yaml, path, other) => {
    const fix = "write another port";
    expect(problemsOf(() => load(yaml))).toEqual([{ path, problem: `has the port of ${other}`, fix }]);
  });

  it("lets each listener have a free port, and one port on two addresses", () => {
    expect(pathsOf("grpc: { address: 127.0.0.1:0 }\nhttp: { address: 127.0.0.1:0 }")).toEqual([]);
    expect(pathsOf("grpc: { address: 127.0.0.1:9 }\nhttp: { address: 127.0.0.2:9 }")).toEqual([]);
  });

  it("treats an empty variable as unset", () => {
    const environment = { DRAGOMAN_CONFIG: "", DRAGOMAN_GRPC_ADDRESS: "", OPENAI_API_KEY: "", OPENAI_BASE_URL: "" };
    expect(loadConfig({ environment, providers }).providers.map(({ name }) => name)).toEqual(["echo"]);
  });
});

describe("the file", () => {
  it("reads the file in DRAGOMAN_CONFIG, unless --config names another", () => {
    const debug = writeConfig("log: { level: debug }");
    const error = writeConfig("log: { level: error }");
    expect(loadConfig({ environment: { DRAGOMAN_CONFIG: debug } }).log.level).toBe("debug");
    expect(loadConfig({ environment: { DRAGOMAN_CONFIG: debug }, file: error }).log.level).toBe("error");
  });

  it("reads every setting from the file", () => {
    const config = load(`
grpc: { address: "[::1]:0" }
http: { address: localhost:0 }
${keys("a", "b")}
limits: { max_request_size: 1MiB, max_values: 1000, max_answer_size: 2MiB, max_call_duration: 1m, max_concurrent_streams: 10, max_calls_per_model: 0, max_queue_per_provider: 0, max_template_processes: 8, max_template_processes_per_account: 1, max_counting_queue: 1MiB, max_counting_work: 1s, max_counting_time: 3s, max_event_loop_lag: 250ms, heap_share: 0.5 }
shutdown: { delay: 5s, grace: 1m }
grpc_connection: { max_age: 1h, keepalive: 0 }
log: { level: warn }
`);
    expect(config).toMatchObject({
      grpc: { host: "::1", port: 0 },
      http: { host: "localhost", port: 0 },
      limits: {
        maxRequestBytes: 1_048_576,
        maxValues: 1000,
        maxAnswerBytes: 2_097_152,
        maxCallMs: 60_000,
        maxConcurrentStreams: 10,
        maxCallsPerModel: 0,
        maxQueuePerProvider: 0,
        maxTemplateProcesses: 8,
        maxTemplateProcessesPerAccount: 1,
        maxCountingQueueBytes: 1_048_576,
        maxCountingWorkMs: 1000,
        maxCountingTimeMs: 3000,
        maxEventLoopLagMs: 250,
        heapShare: 0.5,
      },
      shutdown: { delayMs: 5000, graceMs: 60_000 },
      grpcConnection: { maxAgeMs: 3_600_000, keepaliveMs: 0 },
      log: { level: "warn" },
    });
    expect(config.authentication.mode).toBe("keys");
    expect(config.authentication.keys[0]).toEqual({
      id: "a",
      sha256: Buffer.from(hash("a"), "hex"),
      accounts: [],
      defaultAccount: undefined,
      role: "caller",
      models: ["*"],
      budgets: [],
    });
  });

  it("lets variables override the file's addresses, mode and log level", () => {
    const environment = {
      DRAGOMAN_GRPC_ADDRESS: "127.0.0.2:1",
      DRAGOMAN_LOG_LEVEL: "error",
      DRAGOMAN_AUTHENTICATION: "off",
    };
    const config = load(
      "grpc: { address: 127.0.0.1:2 }\nlog: { level: debug }\nauthentication: { mode: loopback }",
      environment,
    );
    expect(config).toMatchObject({
      grpc: { host: "127.0.0.2" },
      log: { level: "error" },
      authentication: { mode: "off" },
    });
  });

  it("accepts an empty file and empty sections", () => {
    for (const yaml of ["", "# nothing", "grpc:\nproviders:\nauthentication:\n  keys:\n"]) {
      expect(load(yaml).grpc.port).toBe(50051);
    }
  });

  it("loads the example file, which has the defaults", () => {
    const example = readFileSync(resolve(import.meta.dirname, "../../dragoman.example.yaml"), "utf8");
    expect(load(example)).toEqual(load(""));
  });

  it("reports why a file cannot be read", () => {
    const [problem] = problemsOf(() => loadConfig({ environment: {}, file: "/nowhere/dragoman.yaml" }));
    expect(problem).toMatchObject({
      path: "/nowhere/dragoman.yaml",
      problem: "cannot be read: it does not exist (ENOENT)",
    });
  });

  it("reports line and column of invalid YAML without quoting the line", () => {
    const [problem] = problemsOf(() => load('log:\n  level: "info" sk-secret\n'));
    expect(problem?.path).toMatch(/dragoman\.yaml:2:\d+$/);
    expect(JSON.stringify(problem)).not.toContain("sk-secret");
  });

  it.each(["- a list", "text", "a: *nowhere"])("rejects a file that is not a mapping: %s", (yaml) => {
    expect(pathsOf(yaml)).toHaveLength(1);
  });

  it("says that references need quotes inside of braces", () => {
    const [problem] = problemsOf(() => load(`log: { level: ${dollar}{LEVEL} }\n`));
    expect(problem?.fix).toBe("correct this line or the one above it; inside { } and [ ], variables need quotes");
  });

  it("rejects keys that would change object prototypes", () => {
    expect(pathsOf("__proto__: { level: debug }\nconstructor: 1")).toEqual(["__proto__", "constructor"]);
  });
});

describe("mistakes", () => {
  it("reports all mistakes at once, each with path, problem and fix", () => {
    const problems = problemsOf(() =>
      load(
        `
grpc: { adress: 127.0.0.1:1 }
http: { address: 0.0.0.0:8080, tls: { certificate: nowhere.crt } }
limits: { max_request_size: huge, max_concurrent_streams: 0, max_call_duration: 0, max_calls_per_model: -1, max_queue_per_provider: 65537 }
log: { level: "${dollar}{LEVEL}" }
shutdown: []
providers:
  openai: { timeouts: { idle: 15 parsecs }, max_connections: many, enabled: perhaps }
  opnai: {}
surplus: 1
`,
        { DRAGOMAN_GRPC_ADDRESS: "1.2.3.4:5" },
      ),
    );
    expect(Object.fromEntries(problems.map(({ path, problem, fix }) => [path, `${problem}; ${fix}`]))).toMatchObject({
      "grpc.adress": "is not a known key; did you mean `address`?",
      "http.tls.certificate": expect.stringContaining("cannot be read: it does not exist (ENOENT)"),
      "http.tls.key": expect.stringContaining("is missing"),
      "limits.max_request_size": expect.stringContaining('"huge" is not a size; write a size such as'),
      "limits.max_concurrent_streams": expect.stringContaining("0 is not a whole number above zero"),
      "limits.max_calls_per_model": expect.stringContaining("-1 is not a whole number"),
      "limits.max_queue_per_provider": expect.stringContaining("65537 is not a whole number from 0 to 65536"),
      "limits.max_call_duration": expect.stringContaining("0 is not a duration above zero"),
      "log.level": "the variable LEVEL is not set; set it, or write $" + "{LEVEL:-default}",
      shutdown: "is not a mapping; write a mapping with the keys delay, grace",
      "providers.openai.timeouts.idle": expect.stringContaining('"15 parsecs" is not a duration'),
      "providers.openai.max_connections": expect.stringContaining('"many"'),
      "providers.openai.enabled": '"perhaps" is neither true nor false; write true or false',
      "providers.opnai":
        "is not a known provider; did you mean `openai`? Or write its `dialect`, such as chat-completions, to add a provider",
      surplus: expect.stringContaining("is not a known key; write one of grpc, http,"),
      "http.address": expect.stringContaining("0.0.0.0:8080 can be reached from other machines"),
      DRAGOMAN_GRPC_ADDRESS: expect.stringContaining("1.2.3.4:5 can be reached"),
    });
    expect(problems).toHaveLength(17);
  });

  it.each([
    [
      "grpc: { reflection: perhaps }",
      "grpc.reflection",
      '"perhaps" is not a valid value; write one of on, authenticated, off',
    ],
    ["http: { allowed_hosts: ['a.example:80'] }", "http.allowed_hosts[0]", '"a.example:80" is not a host name; write'],
    ["http: { allowed_hosts: ['*.example/'] }", "http.allowed_hosts[0]", "is not a host name"],
    ["http: { allowed_hosts: [1] }", "http.allowed_hosts[0]", "is not a host name"],
    ["http: { cors_origins: [a.example] }", "http.cors_origins[0]", '"a.example" is not an origin; write scheme'],
    ["http: { cors_origins: ['https://a.example/'] }", "http.cors_origins[0]", "is not an origin"],
    ["http: { cors_origins: ['https://a.example:443'] }", "http.cors_origins[0]", "is not an origin"],
    ["http: { cors_origins: ['*'] }", "http.cors_origins[0]", "is not an origin"],
  ])("explains a mistake in who may call: %s", (yaml, path, message) => {
    const [problem, ...others] = problemsOf(() => load(yaml));
    expect(others).toEqual([]);
    expect(problem?.path).toBe(path);
    expect(`${problem?.problem}; ${problem?.fix}`).toContain(message);
  });

  it("reads whether provider options are on, also as YAML 1.1 renderers write it", () => {
    const written = (value: string) => load(`limits: { provider_options: ${value} }`).limits.providerOptions;
    expect(["on", "true", "off", "false"].map(written)).toEqual(["on", "on", "off", "off"]);
    expect(pathsOf("limits: { provider_options: perhaps }")).toEqual(["limits.provider_options"]);
  });

  it("reads the reflection setting of YAML 1.1 renderers, and hosts in lower case", () => {
    const config = load("grpc: { reflection: false }\nhttp: { allowed_hosts: [A.example, '[::2]'] }");
    expect(config.grpc.reflection).toBe("off");
    expect(config.http.allowedHosts).toEqual(["a.example", "[::2]"]);
    expect(load("grpc: { reflection: true }").grpc.reflection).toBe("on");
  });

  it("lists all mistakes in one message", () => {
    expect(() => load("log: { level: loud, color: red }")).toThrow(
      new RegExp(
        [
          "^the configuration has 2 mistakes:",
          '  log.level: "loud" is not a valid value; write one of debug, info, warn, error, silent',
          "  log.color: is not a known key; write one of level, max_buffer_size$",
        ].join("\n"),
      ),
    );
  });

  it("never quotes a secret in a mistake", () => {
    const yaml = `
authentication: { keys: [{ id: a, sha256: sk-secret }] }
limits: { max_request_size: "${dollar}{SECRET}" }
http: { tls: { certificate: sk-secret, key: "-----BEGIN sk-secret" } }
providers:
  openai: { api_key: "sk-secret with blanks", base_url: "https://user:sk-secret@host", headers: { "a b": sk-secret } }
  vllm: { base_url: sk-secret, api_key: [sk-secret], headers: sk-secret, options: sk-secret }
  local: sk-secret
`;
    const problems = problemsOf(() =>
      load(yaml, { SECRET: "sk-secret", OPENAI_API_KEY: "sk-secret\nx", OPENAI_BASE_URL: "sk-secret" }),
    );
    expect(problems.length).toBeGreaterThanOrEqual(11);
    expect(JSON.stringify(problems)).not.toContain("sk-secret");
  });
});

describe("references", () => {
  const level = (text: string, environment = {}) => load(`log: { level: "${text}" }`, environment).log.level;

  it("replaces references by variables, also inside of text", () => {
    expect(level(`${dollar}{L}`, { L: "warn" })).toBe("warn");
    expect(level(`${dollar}{A}r${dollar}{B}`, { A: "wa", B: "n" })).toBe("warn");
  });

  it("uses a reference's default if the variable is unset or empty", () => {
    expect(level(`${dollar}{L:-warn}`)).toBe("warn");
    expect(level(`${dollar}{L:-warn}`, { L: "" })).toBe("warn");
    expect(level(`${dollar}{L:-warn}`, { L: "error" })).toBe("error");
  });

  it("keeps a reference with a second dollar sign as text", () => {
    const yaml = `providers: { openai: { enabled: true, headers: { x-a: "$${dollar}{HOME}" }, options: { list: ["$${dollar}{A}"] } } }`;
    expect(load(yaml).providers[0]).toMatchObject({
      headers: { "x-a": `${dollar}{HOME}` },
      options: { list: [`${dollar}{A}`] },
    });
  });

  it("accepts references for numbers and flags", () => {
    const yaml = `providers: { openai: { enabled: "${dollar}{ON}", headers: { a: b }, max_connections: "${dollar}{N}" } }`;
    expect(load(yaml, { ON: "true", N: "7" }).providers[0]?.maxConnections).toBe(7);
  });

  it("reports path and variable of a reference to an unset variable", () => {
    const yaml = `providers: { openai: { options: { list: ["${dollar}{MISSING}"] } } }`;
    expect(problemsOf(() => load(yaml))[0]).toMatchObject({
      path: "providers.openai.options.list[0]",
      problem: "the variable MISSING is not set",
    });
  });

  it.each(["{", "{}", "{1A}", "{A B}", "{A:default}"])("rejects the malformed reference $%s", (rest) => {
    expect(problemsOf(() => level(dollar + rest))[0]?.problem).toContain("does not start a valid reference");
  });

  it("does not replace references inside a variable's value", () => {
    const config = load(`providers: { openai: { api_key: "${dollar}{A}" } }`, { A: `${dollar}{B}`, B: "no" });
    expect(config.providers[0]?.apiKey?.reveal()).toBe(`${dollar}{B}`);
  });
});

describe("authentication", () => {
  it("requires a key on any address if the file lists keys", () => {
    const config = load(`grpc: { address: 0.0.0.0:1 }\nhttp: { address: myhost:2 }\n${keys("a")}`);
    expect(config.authentication.mode).toBe("keys");
  });

  it.each([
    "0.0.0.0:1",
    "[::]:1",
    "10.0.0.1:1",
    "myhost:1",
  ])("rejects %s on either listener without keys", (address) => {
    for (const listener of ["grpc", "http"]) {
      expect(pathsOf(`${listener}: { address: "${address}" }`)).toEqual([`${listener}.address`]);
      expect(pathsOf(`${listener}: { address: "${address}" }\nauthentication: { mode: loopback }\n`)).toHaveLength(1);
      expect(pathsOf(`${listener}: { address: "${address}" }\nauthentication: { mode: off }`)).toEqual([]);
    }
  });

  it.each(["127.0.0.9:1", "[::1]:1", "localhost:1"])("accepts the loopback address %s without keys", (address) => {
    expect(load(`grpc: { address: "${address}" }`).authentication.mode).toBe("loopback");
  });

  it("does not also report exposure if the keys have a mistake", () => {
    expect(pathsOf('http: { address: 0.0.0.0:1 }\nauthentication: { keys: [{ id: a, sha256: "12" }] }')).toEqual([
      "authentication.keys[0].sha256",
    ]);
  });

  it("needs no key in the file for mode keys: those of the database count", () => {
    const config = load("grpc: { address: 0.0.0.0:1 }\nauthentication: { mode: keys }");
    expect(config.authentication).toMatchObject({ mode: "keys", keys: [] });
  });

  it("rejects keys with the same id or the same hash", () => {
    const same = hash("a");
    expect(
      pathsOf(`authentication: { keys: [{ id: a, sha256: "${same}" }, { id: b, sha256: "${same.toUpperCase()}" }] }`),
    ).toEqual(["authentication.keys[1].sha256"]);
    expect(
      pathsOf(`authentication: { keys: [{ id: a, sha256: "${same}" }, { id: a, sha256: "${hash("b")}" }] }`),
    ).toEqual(["authentication.keys[1].id"]);
  });

  it("reads require_account and default accounts of keys", () => {
    const key = (more: string) => `{ id: a, sha256: "${hash("a")}", ${more} }`;
    const { authentication } = load(`authentication: { require_account: true, keys: [${key("accounts: [a1, a2]")}] }`);
    expect(authentication.requireAccount).toBe(true);
    expect(authentication.keys[0]).toMatchObject({ accounts: ["a1", "a2"], defaultAccount: undefined });
    const withDefault = load(`authentication: { keys: [${key("accounts: [a1, a2], default_account: a2")}] }`);
    expect(withDefault.authentication.keys[0]?.defaultAccount).toBe("a2");
    const anyAccount = load(`authentication: { keys: [${key("default_account: a9")}] }`);
    expect(anyAccount.authentication.keys[0]?.defaultAccount).toBe("a9");
  });

  it.each([
    ["accounts: [team-a, b], default_account: team-b", "", "is not one of the key's accounts; did you mean `team-a`?"],
    [
      "default_account: a",
      "require_account: true, ",
      "is never used, since require_account is true; remove one of them",
    ],
  ])("rejects a default account that no call could use: %s", (key, more, text) => {
    const yaml = `authentication: { ${more}keys: [{ id: a, sha256: "${hash("a")}", ${key} }] }`;
    const [{ path, problem, fix } = { path: "", problem: "", fix: "" }] = problemsOf(() => load(yaml));
    expect([path, `${problem}; ${fix}`]).toEqual(["authentication.keys[0].default_account", text]);
  });

  it("rejects keys without an id or hash, or with accounts that are not strings", () => {
    expect(pathsOf(`authentication: { keys: [{}, { id: 1, sha256: "${hash("a")}", accounts: [1, ""] }, 5] }`)).toEqual([
      "authentication.keys[0].id",
      "authentication.keys[0].sha256",
      "authentication.keys[1].id",
      "authentication.keys[1].accounts[0]",
      "authentication.keys[1].accounts[1]",
      "authentication.keys[2]",
    ]);
  });
});

it("freezes the configuration recursively and hides its keys when printed", () => {
  const config = load(`${keys("a")}\nproviders: { openai: { api_key: sk-secret, options: { nested: [{ a: 1 }] } } }`);
  const check = (value: unknown): void => {
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
    expect(Object.isFrozen(value)).toBe(true);
    Object.values(value).forEach(check);
  };
  check(config);
  expect(JSON.stringify(config) + inspect(config, { depth: 9 })).not.toContain("sk-secret");
});

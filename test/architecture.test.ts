import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { providers } from "../src/providers/registry.ts";

const source = resolve(import.meta.dirname, "../src");

/** Modules with code that runs once in a process or on a connection, beside the calls. */
const beside = [
  ...["cli", "compose.ts", "database", "state", "telemetry/telemetry.ts", "tokens/tokenizer.ts"],
  ...["providers/llm-engine/templated-chat.ts", "server/grpc/listener.ts", "server/http/lingering-close.ts"],
  "upstream/socket-watch.ts",
];

/**
 * Modules of `src/` (folders or single files), from the generated code up to the program, each with the modules or
 * single files that it may import. A module may import itself. List a module only below everything that it may import.
 */
const modules: readonly (readonly [module: string, allowed: readonly string[]])[] = [
  ["gen", []],
  ["client", ["gen"]],
  ["compile-function.ts", []],
  ["wire", ["compile-function.ts"]],
  ["field-path.ts", []],
  ["well-formed.ts", []],
  ["json-syntax.ts", []],
  ["data-uri.ts", []],
  ["system-error.ts", []],
  ["errors.ts", ["gen", "field-path.ts", "well-formed.ts"]],
  ["trace-context.ts", []],
  ["module-url.ts", []],
  ["version.ts", []],
  ["optional-packages.ts", []],
  ["nearest.ts", []],
  ["look-up.ts", []],
  ["path-segment.ts", []],
  ["unicode-pattern.ts", []],
  ["abortable.ts", []],
  ["drained.ts", []],
  ["linked-list.ts", []],
  ["release-stream.ts", []],
  ["fair-slots.ts", ["errors.ts"]],
  ["bounded-pool.ts", ["fair-slots.ts"]],
  ["sampled.ts", []],
  ["load", ["errors.ts", "sampled.ts"]],
  ["run-within.ts", []],
  ["append.ts", []],
  ["pace.ts", []],
  ["make-folder.ts", []],
  ["page.ts", ["errors.ts"]],
  ["component-states.ts", []],
  ["thread", ["errors.ts"]],
  ["tokens", ["gen", "append.ts", "errors.ts", "fair-slots.ts", "module-url.ts", "thread/worker-output.ts"]],
  [
    "chat/validation",
    ["gen", "compile-function.ts", "data-uri.ts", "field-path.ts", "errors.ts", "json-syntax.ts", "pace.ts"],
  ],
  [
    "chat/stream",
    [
      ...["gen", "append.ts", "field-path.ts", "errors.ts", "run-within.ts", "unicode-pattern.ts", "well-formed.ts"],
      "chat/validation",
    ],
  ],
  [
    "chat/planning",
    [
      "gen",
      "append.ts",
      "data-uri.ts",
      "field-path.ts",
      "errors.ts",
      "pace.ts",
      "path-segment.ts",
      "unicode-pattern.ts",
      "well-formed.ts",
      "tokens",
      "chat/validation",
    ],
  ],
  ["profiles", ["gen", "errors.ts", "chat/planning/profile.ts", "chat/planning/profile-texts.ts", "chat/validation"]],
  ["config/route.ts", ["gen", "profiles"]],
  [
    "models",
    [
      "gen",
      "errors.ts",
      "nearest.ts",
      "page.ts",
      "chat/planning/deployment-parameters.ts",
      "profiles",
      "config/route.ts",
    ],
  ],
  ["prices", ["gen", "look-up.ts", "models/knowledge.ts"]],
  [
    "config",
    [
      "gen",
      "errors.ts",
      "nearest.ts",
      "optional-packages.ts",
      "system-error.ts",
      "models",
      "prices",
      "profiles",
      "chat/planning",
    ],
  ],
  [
    "upstream",
    [
      ...["gen", "errors.ts", "pace.ts", "fair-slots.ts", "release-stream.ts", "trace-context.ts"],
      ...["config/provider.ts", "config/secret.ts"],
    ],
  ],
  [
    "templates",
    [
      ...["gen", "abortable.ts", "errors.ts", "fair-slots.ts", "bounded-pool.ts", "module-url.ts"],
      ...["chat/planning", "chat/validation", "tokens"],
    ],
  ],
  [
    "providers",
    [
      ...[
        "gen",
        "field-path.ts",
        "errors.ts",
        "abortable.ts",
        "look-up.ts",
        "fair-slots.ts",
        "bounded-pool.ts",
        "run-within.ts",
        "append.ts",
        "optional-packages.ts",
        "tokens",
        "chat",
        "models",
        "upstream",
        "templates",
      ],
      ...["config/provider.ts", "config/environment.ts", "config/secret.ts", "config/rules.ts"],
    ],
  ],
  ["adapters.ts", ["config", "providers/adapter.ts", "providers/registry.ts", "templates/sandbox.ts"]],
  [
    "routing",
    [
      "gen",
      "append.ts",
      "errors.ts",
      "trace-context.ts",
      "tokens",
      "chat",
      "config/route.ts",
      "providers/adapter.ts",
      "providers/embedding-api.ts",
    ],
  ],
  ["database", ["make-folder.ts"]],
  [
    "accounts",
    [
      ...["gen", "errors.ts", "path-segment.ts", "load/network.ts", "tokens", "models", "prices", "database"],
      ...["config/config.ts", "config/account.ts", "config/account-schema.ts", "config/accounts.ts"],
    ],
  ],
  ["state", ["accounts/limits", "config/account.ts", "config/state.ts"]],
  [
    "ledger",
    [
      "gen",
      "wire",
      "errors.ts",
      "trace-context.ts",
      "make-folder.ts",
      "sampled.ts",
      "profiles",
      "accounts/limits/spending-reader.ts",
      "config/config.ts",
      "config/quantities.ts",
      "load/load-guard.ts",
      "database",
    ],
  ],
  [
    "telemetry",
    [
      "gen",
      "errors.ts",
      "sampled.ts",
      "trace-context.ts",
      "config/config.ts",
      "config/telemetry.ts",
      "routing/target-view.ts",
      "ledger",
      "load",
    ],
  ],
  ["reload", ["config", "telemetry/log.ts"]],
  [
    "calls",
    [
      ...[
        "gen",
        "linked-list.ts",
        "abortable.ts",
        "append.ts",
        "pace.ts",
        "field-path.ts",
        "errors.ts",
        "fair-slots.ts",
        "sampled.ts",
        "trace-context.ts",
        "tokens",
        "chat",
        "profiles",
        "models",
        "prices",
        "routing",
        "accounts",
        "ledger",
      ],
      ...[
        "config/route.ts",
        "providers/adapter.ts",
        "providers/embedding-api.ts",
        "providers/kit/exact-json.ts",
        "load",
      ],
    ],
  ],
  [
    "surfaces",
    [
      "gen",
      "abortable.ts",
      "data-uri.ts",
      "json-syntax.ts",
      "pace.ts",
      "well-formed.ts",
      "drained.ts",
      "nearest.ts",
      "field-path.ts",
      "errors.ts",
      "chat",
      "profiles",
      "models",
      "accounts",
      "load",
      "calls",
    ],
  ],
  [
    "server",
    [
      "gen",
      "wire",
      "field-path.ts",
      "json-syntax.ts",
      "system-error.ts",
      "nearest.ts",
      "page.ts",
      "component-states.ts",
      "version.ts",
      "errors.ts",
      "abortable.ts",
      "drained.ts",
      "linked-list.ts",
      "release-stream.ts",
      "fair-slots.ts",
      "routing",
      "chat",
      "models",
      "prices",
      "providers/adapter.ts",
      "routing/target.ts",
      "routing/target-view.ts",
      "accounts",
      "ledger",
      "calls",
      "surfaces",
      "config",
      "load",
    ],
  ],
  ["store-worker.ts", ["accounts", "config/config.ts", "database", "ledger", "load/garbage-collector.ts", "thread"]],
  [
    "store-thread.ts",
    ["accounts", "config", "ledger", "module-url.ts", "store-worker.ts", "telemetry/log.ts", "thread"],
  ],
  ["follow-accounts.ts", ["accounts", "config/config.ts", "ledger/describe-error.ts", "telemetry"]],
  ["follow-spending.ts", ["accounts", "config/config.ts", "ledger/describe-error.ts", "telemetry"]],
  ["watch-components.ts", ["accounts", "component-states.ts", "ledger", "state", "store-thread.ts"]],
  [
    "workers",
    [
      ...["gen", "errors.ts", "drained.ts", "thread/messages.ts", "accounts/limits", "config/config.ts"],
      ...[
        "config/config-error.ts",
        "chat/stream",
        "upstream/queue-time.ts",
        "providers/adapter.ts",
        "providers/embedding-api.ts",
        "calls/snapshot.ts",
      ],
      ...["telemetry/log.ts", "telemetry/metrics", "telemetry/telemetry.ts", "reload"],
    ],
  ],
  ["compose.ts", [""]],
  ["cli", [""]],
  ["main.ts", [""]],
];

/** Packages that only some modules may import. */
const reserved: Readonly<Record<string, readonly string[]>> = {
  "@connectrpc/": ["client", "server", "cli/remote"],
  "@grpc/grpc-js": ["server"],
  "node:net": ["server", "config", "workers/models"],
  "node:sqlite": ["database", "ledger/outbox/lock.ts"],
  "@opentelemetry/": ["telemetry/otel"],
  kysely: ["database", "accounts/sql", "ledger/sql"],
  pg: ["database"],
  undici: ["upstream", "providers/azure-openai/entra.ts"],
};

/** Folders in `providers/` that providers share. Every other folder there or in `servers/` belongs to one provider. */
const shared: ReadonlySet<string> = new Set([
  "kit",
  "chat-completions",
  "openai-responses",
  "generate-content",
  "claude",
]);

/** Returns the folder of the provider that a file belongs to. Undefined for shared files. */
function providerFolder(path: string): string | undefined {
  const [, server] = /^(providers\/chat-completions\/servers\/[^/]+)\//.exec(path) ?? [];
  const [, folder, name = ""] = /^(providers\/([^/]+))\//.exec(path) ?? [];
  return server ?? (shared.has(name) ? undefined : folder);
}

function files(): readonly string[] {
  return readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts") && !path.startsWith("gen"))
    .sort();
}

function importsOf(path: string): readonly string[] {
  const text = readFileSync(join(source, path), "utf8");
  return [...text.matchAll(/(?:^|\n)(?:import|export)[^;]*?from "([^"]+)"|import\("([^"]+)"\)/g)].map(
    (match) => match[1] ?? match[2] ?? "",
  );
}

/** Returns the files of `src/` that a file imports. */
function targetsOf(path: string): readonly string[] {
  return importsOf(path)
    .filter((imported) => imported.startsWith("."))
    .map((imported) => relative(source, resolve(source, dirname(path), imported)));
}

const isWithin = (path: string, place: string): boolean =>
  place === "" || path === place || path.startsWith(`${place}/`);

/** Returns the index of the module that contains a file, or -1. */
const moduleIndexOf = (path: string): number => modules.findIndex(([module]) => isWithin(path, module));

describe("the layers of src/", () => {
  it.each(files())("%s imports only what its module may import", (path) => {
    const index = moduleIndexOf(path);
    const [module = "", allowed = []] = modules[index] ?? [];
    expect(index, `src/${path} belongs to no listed module`).toBeGreaterThanOrEqual(0);
    for (const target of targetsOf(path)) {
      const isAllowed = isWithin(target, module) || allowed.some((place) => isWithin(target, place));
      expect(isAllowed, `src/${path} must not import src/${target}`).toBe(true);
    }
  });

  it("lists every module below all that it may import", () => {
    for (const [index, [module, allowed]] of modules.entries()) {
      const tooLow = allowed.filter((place) => place !== "" && moduleIndexOf(place) >= index);
      expect(tooLow, `src/${module} must come after these`).toEqual([]);
    }
  });

  it("has no files that import each other in a circle, types included", () => {
    const done = new Set<string>();
    const circles: string[] = [];
    function visit(path: string, above: readonly string[]): void {
      if (above.includes(path)) circles.push([...above.slice(above.indexOf(path)), path].join(" -> "));
      if (done.has(path)) return;
      done.add(path);
      for (const target of targetsOf(path)) if (!target.startsWith("gen/")) visit(target, [...above, path]);
    }
    for (const path of files()) visit(path, []);
    expect(circles).toEqual([]);
  });

  it.each(files())("%s imports no other provider", (path) => {
    if (path === "providers/registry.ts") return;
    for (const target of targetsOf(path)) {
      const folder = providerFolder(target);
      const isOwn = folder === undefined || folder === providerFolder(path);
      expect(isOwn, `without ${folder}, src/${path} would not compile`).toBe(true);
    }
  });

  it("registers each provider folder in exactly one line of the registry", async () => {
    const folders = [...new Set(files().flatMap((path) => providerFolder(path) ?? []))];
    const lines = readFileSync(join(source, "providers/registry.ts"), "utf8").split("\n");
    for (const folder of folders) {
      const place = `"./${folder.slice("providers/".length)}/index.ts"`;
      expect(lines.filter((line) => line.includes(place))).toEqual([`  import(${place}),`]);
    }
    expect(providers).toHaveLength(folders.length);
  });

  it("keeps the configuration and all that serves calls out of the program that supervises workers", () => {
    const loaded = new Set<string>();
    const load = (path: string): void => {
      if (loaded.has(path)) return;
      loaded.add(path);
      const text = readFileSync(join(source, path), "utf8");
      for (const [, imported = ""] of text.matchAll(/(?:^|\n)(?:import|export)(?! type)[^;]*? from "(\.[^"]+)"/g)) {
        load(relative(source, resolve(source, dirname(path), imported)));
      }
    };
    load("cli/serve.ts");
    load("cli/serve/supervise.ts");
    expect(loaded).toContain("workers/supervisor.ts");
    const heavy = [
      "config/schema.ts",
      "config/rules.ts",
      "providers",
      "gen",
      "tokens",
      "calls",
      "compose.ts",
      "ledger",
    ];
    expect([...loaded].filter((path) => heavy.some((place) => isWithin(path, place)))).toEqual([]);
  });

  it("has commands that only the program imports", () => {
    const importers = files().filter((path) => targetsOf(path).some((target) => isWithin(target, "cli")));
    expect(importers.filter((path) => !isWithin(path, "cli"))).toEqual(["main.ts"]);
  });

  it.each(files())("%s does not read process.env", (path) => {
    if (path === "main.ts") return;
    expect(readFileSync(join(source, path), "utf8")).not.toMatch(/\bprocess\.env\b|\{[^}]*\benv\b[^}]*\} = process\b/);
  });

  it.each(files())("%s imports no package reserved for other modules", (path) => {
    for (const imported of importsOf(path)) {
      for (const [name, allowed] of Object.entries(reserved)) {
        const matches = name.endsWith("/") ? imported.startsWith(name) : imported === name;
        const isAllowed = allowed.some((module) => isWithin(path, module));
        if (matches) expect(isAllowed, `src/${path} must not import ${imported}`).toBe(true);
      }
    }
  });

  // V8 puts such a function into the old generation, as src/release-stream.ts says. A generator function gets an object
  // there, too, with its first call. Only what runs once in a process or on a connection may do so.
  it.each(
    files(),
  )("%s assigns no function literal to a property, and creates no generator function for a call", (path) => {
    if (beside.some((place) => isWithin(path, place))) return;
    const text = readFileSync(join(source, path), "utf8");
    expect(text).not.toMatch(
      /^(?! *(?:const|readonly)\b).*(?:\.#?\w+|\]) (?:\?\?)?=\s+(?:async )?(?:function\b|(?:\([^()]*\)(?::[^=;{]+)?|\w+) =>)/m,
    );
    expect(text).not.toMatch(/^ +(?:return )?(?:async )?function\*/m);
  });

  it.each(files())("%s has fewer than 350 lines", (path) => {
    expect(readFileSync(join(source, path), "utf8").split("\n").length).toBeLessThan(350);
  });
});

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { providers } from "../src/providers/registry.ts";

const source = resolve(import.meta.dirname, "../src");

/**
 * The rooms of `src/`, from the contract up to the program, each with what it may import: whole rooms, or single files as
 * doors into a room. A room may import itself, and nothing may be imported from a room further down this list.
 */
const rooms: readonly (readonly [room: string, doors: readonly string[]])[] = [
  ["gen", []],
  ["field-path.ts", []],
  ["errors.ts", ["gen", "field-path.ts"]],
  ["nearest.ts", []],
  ["look-up.ts", []],
  ["path-segment.ts", []],
  ["abortable.ts", []],
  ["drained.ts", []],
  ["bounded-pool.ts", ["errors.ts"]],
  ["tokens", ["gen", "errors.ts"]],
  ["chat/stream", ["gen", "errors.ts"]],
  ["chat/validation", ["gen", "field-path.ts", "errors.ts"]],
  ["chat/planning", ["gen", "field-path.ts", "errors.ts", "path-segment.ts", "tokens", "chat/validation"]],
  ["profiles", ["gen", "errors.ts", "chat/planning/profile.ts", "chat/validation"]],
  ["models", ["gen", "errors.ts", "nearest.ts", "chat/planning/deployment-parameters.ts", "profiles"]],
  ["config", ["gen", "errors.ts", "nearest.ts", "models", "profiles", "chat/planning"]],
  ["upstream", ["gen", "errors.ts", "config/provider.ts", "config/secret.ts"]],
  ["templates", ["gen", "abortable.ts", "errors.ts", "bounded-pool.ts", "chat/planning", "chat/validation", "tokens"]],
  [
    "providers",
    [
      ...[
        "gen",
        "field-path.ts",
        "errors.ts",
        "abortable.ts",
        "look-up.ts",
        "bounded-pool.ts",
        "tokens",
        "chat",
        "models",
        "upstream",
        "templates",
      ],
      ...["config/provider.ts", "config/environment.ts", "config/secret.ts", "config/rules.ts"],
    ],
  ],
  ["routing", ["gen", "errors.ts", "tokens", "chat", "providers/adapter.ts"]],
  ["accounts", ["gen", "errors.ts", "path-segment.ts", "config/config.ts"]],
  ["ledger", ["gen", "errors.ts"]],
  ["telemetry", ["gen", "errors.ts", "config/config.ts", "ledger"]],
  [
    "calls",
    [
      ...["gen", "field-path.ts", "errors.ts", "tokens", "chat", "profiles", "models", "routing", "accounts", "ledger"],
      ...["providers/adapter.ts", "providers/kit/exact-json.ts"],
    ],
  ],
  ["surfaces", ["gen", "drained.ts", "field-path.ts", "errors.ts", "chat", "profiles", "models", "accounts", "calls"]],
  [
    "server",
    [
      "gen",
      "errors.ts",
      "drained.ts",
      "chat",
      "models",
      "providers/adapter.ts",
      "accounts",
      "ledger",
      "calls",
      "surfaces",
      "config",
    ],
  ],
  ["compose.ts", [""]],
  ["main.ts", [""]],
];

/** Packages that only some rooms may import. */
const reserved: Readonly<Record<string, readonly string[]>> = {
  "@connectrpc/": ["server"],
  "@grpc/grpc-js": ["server"],
  "grpc-health-check": ["server"],
  "node:net": ["server", "config"],
  undici: ["upstream", "providers/azure-openai/entra.ts"],
};

/** Rooms inside `providers/` that providers share. Every other folder there, and each of `servers/`, is one provider's. */
const shared: ReadonlySet<string> = new Set(["kit", "chat-completions", "generate-content", "claude"]);

/** The folder of the provider that a file belongs to. Undefined for what several share. */
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

/** The files of `src/` that a file imports. */
function targetsOf(path: string): readonly string[] {
  return importsOf(path)
    .filter((imported) => imported.startsWith("."))
    .map((imported) => relative(source, resolve(source, dirname(path), imported)));
}

const isWithin = (path: string, place: string): boolean =>
  place === "" || path === place || path.startsWith(`${place}/`);

/** The index of the room that a file is in. */
const roomOf = (path: string): number => rooms.findIndex(([room]) => isWithin(path, room));

describe("the layers of src/", () => {
  it.each(files())("%s imports only through the doors of lower rooms", (path) => {
    const own = roomOf(path);
    const [room = "", doors = []] = rooms[own] ?? [];
    expect(own, `src/${path} is in no known room`).toBeGreaterThanOrEqual(0);
    for (const target of targetsOf(path)) {
      const isOpen = isWithin(target, room) || doors.some((door) => isWithin(target, door));
      expect(isOpen, `src/${path} must not import src/${target}`).toBe(true);
    }
  });

  it.each(files())("%s imports no provider but its own", (path) => {
    if (path === "providers/registry.ts") return;
    for (const target of targetsOf(path)) {
      const folder = providerFolder(target);
      const isOwn = folder === undefined || folder === providerFolder(path);
      expect(isOwn, `without ${folder}, src/${path} would not compile`).toBe(true);
    }
  });

  it("names every provider in one line of the registry, which exports a definition", async () => {
    const folders = [...new Set(files().flatMap((path) => providerFolder(path) ?? []))];
    const lines = readFileSync(join(source, "providers/registry.ts"), "utf8").split("\n");
    for (const folder of folders) {
      const place = `"./${folder.slice("providers/".length)}/index.ts"`;
      expect(lines.filter((line) => line.includes(place))).toEqual([`  import(${place}),`]);
    }
    expect(providers).toHaveLength(folders.length);
  });

  it.each(files())("%s reads no environment but what it is given", (path) => {
    if (path === "main.ts") return;
    expect(readFileSync(join(source, path), "utf8")).not.toMatch(/\bprocess\.env\b|\{[^}]*\benv\b[^}]*\} = process\b/);
  });

  it.each(files())("%s leaves transports and upstream HTTP to the rooms they belong to", (path) => {
    for (const imported of importsOf(path)) {
      for (const [name, allowed] of Object.entries(reserved)) {
        const matches = name.endsWith("/") ? imported.startsWith(name) : imported === name;
        const isAllowed = allowed.some((room) => isWithin(path, room));
        if (matches) expect(isAllowed, `src/${path} must not import ${imported}`).toBe(true);
      }
    }
  });

  it.each(files())("%s stays under 350 lines", (path) => {
    expect(readFileSync(join(source, path), "utf8").split("\n").length).toBeLessThan(350);
  });
});

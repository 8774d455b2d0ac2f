import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const source = resolve(import.meta.dirname, "../src");

/** The rooms of `src/` and what each may import. Arrows run one way, from the contract up to the composition root. */
const mayImport: Record<string, readonly string[]> = {
  gen: [],
  "errors.ts": ["gen"],
  "nearest.ts": [],
  config: ["errors.ts", "nearest.ts", "gen", "providers/settings.ts"],
  telemetry: ["errors.ts", "gen", "config"],
  chat: ["gen", "errors.ts"],
  models: ["gen", "errors.ts", "nearest.ts", "chat"],
  providers: ["gen", "errors.ts", "chat", "models", "config/secret.ts", "config/config-error.ts"],
  routing: ["gen", "errors.ts", "chat", "models", "providers"],
  accounts: ["gen", "errors.ts", "chat", "models", "providers", "routing", "config", "telemetry"],
  rpc: ["gen", "errors.ts", "chat", "models", "providers", "routing", "accounts"],
  surfaces: ["gen", "errors.ts", "chat", "models", "accounts", "rpc"],
  server: [
    ...["gen", "errors.ts", "chat", "models", "providers", "routing", "accounts", "rpc", "surfaces"],
    ...["config", "telemetry"],
  ],
  "compose.ts": ["*"],
  "main.ts": ["*"],
};

/** Packages that only some rooms may know. */
const reserved: Record<string, readonly string[]> = {
  "@connectrpc/": ["rpc", "server"],
  "@grpc/grpc-js": ["server"],
  "grpc-health-check": ["server"],
  "node:net": ["server", "config"],
  undici: ["providers"],
};

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

const roomOf = (path: string): string => path.split("/")[0] ?? "";

describe("the layers of src/", () => {
  it.each(files())("%s imports only downwards", (path) => {
    const allowed = mayImport[roomOf(path)];
    expect(allowed, `src/${path} is in no known room`).toBeDefined();
    for (const imported of importsOf(path)) {
      if (!imported.startsWith(".")) continue;
      const target = relative(source, resolve(source, dirname(path), imported));
      const free =
        roomOf(target) === roomOf(path) || allowed?.includes("*") || allowed?.some((entry) => target.startsWith(entry));
      expect(free, `src/${path} must not import src/${target}`).toBe(true);
    }
  });

  it.each(files())("%s leaves transports and upstream HTTP to the rooms they belong to", (path) => {
    for (const imported of importsOf(path)) {
      for (const [name, rooms] of Object.entries(reserved)) {
        const matches = name.endsWith("/") ? imported.startsWith(name) : imported === name;
        if (matches) expect(rooms, `src/${path} must not import ${imported}`).toContain(roomOf(path));
      }
    }
  });

  it.each(files())("%s stays under 350 lines", (path) => {
    expect(readFileSync(join(source, path), "utf8").split("\n").length).toBeLessThan(350);
  });
});

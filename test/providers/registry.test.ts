import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { providers } from "../../src/providers/registry.ts";

const root = resolve(import.meta.dirname, "../..");
const source = join(root, "src");
const registry = "providers/registry.ts";

const read = (file: string): string => readFileSync(join(source, file), "utf8");

/** Returns the files in `src/` that a file imports. */
function importsOf(file: string): readonly string[] {
  const imports = read(file).matchAll(/(?:^(?:import|export) [^"]*?from |\bimport\()"(\.[^"]+)"/gm);
  return [...imports].map(([, path = ""]) => join(dirname(file), path));
}

/** Provider folders, from which the registry imports. */
const folders = importsOf(registry)
  .filter((target) => target.endsWith("/index.ts"))
  .map((target) => dirname(target));

it("names each provider once, in lower case", () => {
  const names = providers.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
  for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9-]*$/);
});

describe("removing a provider's folder and its line in the registry", () => {
  const copies: string[] = [];
  afterEach(() => {
    for (const copy of copies.splice(0)) rmSync(copy, { recursive: true });
  });

  /** Copies `src/` without a provider's folder and its line. */
  function copyWithout(folder: string): string {
    const copy = mkdtempSync(join(tmpdir(), "dragoman-without-"));
    copies.push(copy);
    cpSync(source, join(copy, "src"), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    cpSync(join(root, "package.json"), join(copy, "package.json"));
    const config = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"));
    writeFileSync(join(copy, "tsconfig.json"), JSON.stringify({ ...config, include: ["src"] }));
    rmSync(join(copy, "src", folder), { recursive: true });
    const lines = read(registry).split("\n");
    const rest = lines.filter((line) => !line.includes(`"./${relative("providers", folder)}/index.ts"`));
    expect(rest).toHaveLength(lines.length - 1);
    writeFileSync(join(copy, "src", registry), rest.join("\n"));
    return copy;
  }

  // One provider with its own API, one with a shared API, and two Chat Completions servers.
  const kinds = folders.filter((folder) => /\/(?:anthropic|gemini|openai|groq)$/.test(folder));

  it.each(kinds)("compiles without %s", (folder) => {
    const tsc = join(root, "node_modules/.bin/tsc");
    const { status, stdout } = spawnSync(tsc, ["--project", copyWithout(folder)], { encoding: "utf8" });
    expect(stdout).toBe("");
    expect(status).toBe(0);
  }, 30_000);
});

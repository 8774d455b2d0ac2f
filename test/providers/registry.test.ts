import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
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

describe("removing providers' folders and their lines in the registry", () => {
  // One provider with its own API, one with a shared API, and two Chat Completions servers.
  const removed = folders.filter((folder) => /\/(?:anthropic|gemini|openai|groq)$/.test(folder));
  const copy = mkdtempSync(join(tmpdir(), "dragoman-without-"));
  afterAll(() => rmSync(copy, { recursive: true }));

  it("leaves code that compiles", () => {
    cpSync(source, join(copy, "src"), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    cpSync(join(root, "package.json"), join(copy, "package.json"));
    const config = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"));
    writeFileSync(join(copy, "tsconfig.json"), JSON.stringify({ ...config, include: ["src"] }));
    for (const folder of removed) rmSync(join(copy, "src", folder), { recursive: true });
    const lines = read(registry).split("\n");
    const isRemoved = (line: string) =>
      removed.some((folder) => line.includes(`"./${relative("providers", folder)}/index.ts"`));
    const rest = lines.filter((line) => !isRemoved(line));
    expect(rest).toHaveLength(lines.length - removed.length);
    writeFileSync(join(copy, "src", registry), rest.join("\n"));
    const { status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["--project", copy], {
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  }, 60_000);

  // The compiler cannot see that one of the removed folders needs another.
  it.each(removed)("is possible one by one: %s is imported by the registry alone", (folder) => {
    const inside = (file: string) => `${file}/`.startsWith(`${folder}/`);
    const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
    const users = files.filter((file) => !inside(file) && importsOf(file).some(inside));
    expect(users).toEqual([registry]);
  });
});

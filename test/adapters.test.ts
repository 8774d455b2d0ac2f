import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { Adapters } from "../src/adapters.ts";
import type { Config } from "../src/config/config.ts";
import { loadConfig } from "../src/config/load.ts";
import { dialects, providers } from "../src/providers/registry.ts";

function load(section: string): Config {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-adapters-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "dragoman.yaml");
  writeFileSync(file, `providers: { ${section} }`);
  return loadConfig({ environment: {}, file, providers: providers.filter(({ name }) => name !== "local"), dialects });
}

const openai = (more: string) => `openai: { keys: [{ name: a, value: sk-a }, { name: b, value: sk-b }], ${more} }`;

beforeAll(() => Promise.all(providers.map((provider) => provider.load?.())));

it("keeps the adapters of providers whose settings are the same, and their equal keys otherwise", () => {
  const adapters = new Adapters(
    load(`${openai("max_connections: 8")}, groq: { api_key: sk-1 }, xai: { api_key: sk-1 }`),
  );
  const before = new Map(adapters.all.map((adapter) => [adapter.name, adapter]));
  const changed = `openai: { keys: [{ name: b, value: sk-b }, { name: a, value: sk-other }] }`;
  const { commit } = adapters.prepare(load(`${changed}, groq: { api_key: sk-1 }, xai: { api_key: sk-2 }`));
  expect(adapters.all).toEqual([...before.values()]);
  commit();
  const after = new Map(adapters.all.map((adapter) => [adapter.name, adapter]));
  expect(after.get("groq")).toBe(before.get("groq"));
  expect(after.get("xai")).not.toBe(before.get("xai"));
  expect(after.get("openai")).not.toBe(before.get("openai"));
  const [a, b] = before.get("openai")?.keys ?? [];
  expect(after.get("openai")?.keys?.map((key) => [key === a, key === b])).toEqual([
    [false, true],
    [false, false],
  ]);
});

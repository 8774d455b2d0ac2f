import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { dialects as registered } from "../../src/providers/registry.ts";
import type { Dialect } from "./dialect.ts";

const folder = join(import.meta.dirname, "dialects");

/** Registered providers that have no HTTP API and therefore no contract cases, with the reason. */
export const withoutWire: Readonly<Record<string, string>> = {
  echo: "generates its responses inside Dragoman",
  local: "runs the model inside Dragoman",
};

/** The providers that must have contract cases, and the dialect of servers that Dragoman does not know. */
export const providers: readonly string[] = registered.map(({ name }) => name).filter((name) => !(name in withoutWire));

/** The providers that have a file of contract cases. */
export const providersWithCases: readonly string[] = readdirSync(folder).map((file) => file.replace(/\.ts$/, ""));

/** Returns what is wrong with the contract cases of a provider and how to fix it, or undefined if they are valid. */
export function problemOf(provider: string): string | undefined {
  const file = `test/contract/dialects/${provider}.ts`;
  const ofProvider = dialects.filter(({ name }) => name === provider);
  if (!providersWithCases.includes(provider)) {
    return `provider ${provider} has no contract cases: add ${file} and export its \`dialects\``;
  }
  if (ofProvider.length === 0) return `${file} exports no dialect of ${provider}: add one to its \`dialects\``;
  const titles = new Set(ofProvider.map(({ variant }) => variant));
  if (titles.size === ofProvider.length) return undefined;
  return `two dialects in ${file} have the same variant: give each one a different \`variant\``;
}

/** Every dialect of every provider, in the order of the registry. */
export const dialects: readonly Dialect[] = (await Promise.all(providers.map(load))).flat();

async function load(provider: string): Promise<readonly Dialect[]> {
  if (!existsSync(join(folder, `${provider}.ts`))) return [];
  const cases: { readonly dialects?: readonly Dialect[] } = await import(`./dialects/${provider}.ts`);
  return cases.dialects ?? [];
}

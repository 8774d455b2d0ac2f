import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { providers as registered } from "../../src/providers/registry.ts";
import type { Dialect } from "./dialect.ts";

const folder = join(import.meta.dirname, "dialects");

/** The providers of the registry that have no wire, and therefore no contract cases. */
export const withoutWire: Readonly<Record<string, string>> = {
  echo: "answers inside the service",
  local: "runs the model inside the service",
};

/** The providers that must have contract cases, in the order of the registry. */
export const providers: readonly string[] = registered.map(({ name }) => name).filter((name) => !(name in withoutWire));

/** The providers that have a file of contract cases. */
export const providersWithCases: readonly string[] = readdirSync(folder).map((file) => file.replace(/\.ts$/, ""));

/** What is wrong with the contract cases of a provider, with what to do; undefined if nothing is. */
export function problemOf(provider: string): string | undefined {
  const file = `test/contract/dialects/${provider}.ts`;
  const own = dialects.filter(({ name }) => name === provider);
  if (!providersWithCases.includes(provider)) {
    return `provider ${provider} has no contract cases: add ${file}, which exports its \`dialects\``;
  }
  if (own.length === 0) return `${file} exports no dialect of ${provider}: add one to its \`dialects\``;
  const titles = new Set(own.map(({ variant }) => variant));
  return titles.size === own.length ? undefined : `two dialects in ${file} have the same variant: name each one`;
}

/** Every dialect of every provider, in the order of the registry. */
export const dialects: readonly Dialect[] = (await Promise.all(providers.map(load))).flat();

async function load(provider: string): Promise<readonly Dialect[]> {
  if (!existsSync(join(folder, `${provider}.ts`))) return [];
  const cases: { readonly dialects?: readonly Dialect[] } = await import(`./dialects/${provider}.ts`);
  return cases.dialects ?? [];
}

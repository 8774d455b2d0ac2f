import { readFileSync } from "node:fs";
import { lookUp } from "../look-up.ts";
import { matches } from "./match.ts";
import type { TablePrices } from "./table.ts";

/** Prices of a model in service tiers that cost more or less than the usual one. */
export interface ServiceTierRow {
  /** Usual prices of input and output, in US dollars per million tokens. With other ones, the row is out of date. */
  readonly usual: readonly [input: number, output: number];
  /** Prices by the tier's name in lower case. */
  readonly tiers: Readonly<Record<string, TablePrices>>;
}

/** Prices in service tiers from LiteLLM's table. `npm run generate:service-tiers` writes them. */
interface ServiceTierTable {
  /** Package and version. */
  readonly version: string;
  /** Notice of the package's license. */
  readonly notice: string;
  /** Rows by Dragoman's provider and by the name of the model in lower case. */
  readonly providers: Readonly<Record<string, Readonly<Record<string, ServiceTierRow>>>>;
}

let table: ServiceTierTable | undefined;

/** Returns the table of prices in service tiers. */
export function serviceTierTable(): ServiceTierTable {
  table ??= JSON.parse(readFileSync(new URL("./service-tiers.json", import.meta.url), "utf8")) as ServiceTierTable;
  return table;
}

/**
 * Returns the row of a model: that of its whole name, else of its name without a date or version. Undefined: none.
 *
 * @param wholeNames whether only a row of the whole name applies
 */
export function serviceTiersOf(provider: string, model: string, wholeNames: boolean): ServiceTierRow | undefined {
  const rows = lookUp(serviceTierTable().providers, provider);
  if (rows === undefined) return undefined;
  const whole = lookUp(rows, model.toLowerCase());
  if (whole !== undefined || wholeNames) return whole;
  const name = Object.keys(rows).find((known) => matches({ starts_with: known }, model));
  return name === undefined ? undefined : rows[name];
}

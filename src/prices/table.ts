import { readFileSync } from "node:fs";
import type { MatchLogic } from "./match.ts";

/** Price in US dollars, in all tiers or with the prices above numbers of prompt tokens. */
export type TablePrice =
  | number
  | { readonly base: number; readonly tiers: readonly { readonly start: number; readonly price: number }[] };

/** Kinds of prices that Dragoman reads. `_mtok`: of a million tokens; `_kcount`: of a thousand requests. */
export const readKinds = [
  "input_mtok",
  "cache_read_mtok",
  "cache_write_mtok",
  "cache_write_1h_mtok",
  "input_audio_mtok",
  "input_image_mtok",
  "output_mtok",
  "output_reasoning_mtok",
  "output_audio_mtok",
  "output_image_mtok",
  "requests_kcount",
  "web_searches_kcount",
] as const;

export type TablePrices = { readonly [Kind in (typeof readKinds)[number]]?: TablePrice };

/** Prices that apply only from a day, or between two times of each day (UTC). */
export interface DatedPrices {
  readonly constraint?:
    | { readonly type: "start_date"; readonly start_date: string }
    | { readonly type: "time_of_date"; readonly start_time: string; readonly end_time: string };
  readonly prices: TablePrices;
}

export interface TableModel {
  readonly id: string;
  readonly match: MatchLogic;
  /** Of several, the last one that applies counts; the first one has no constraint. */
  readonly prices: TablePrices | readonly DatedPrices[];
}

/** Rows of @pydantic/genai-prices that Dragoman uses. `npm run generate:prices` writes them. */
export interface PriceTable {
  /** Package and version. */
  readonly version: string;
  /** Notice of the package's license. */
  readonly notice: string;
  readonly providers: Readonly<Record<string, readonly TableModel[]>>;
}

let table: PriceTable | undefined;

/**
 * Returns the price table. It is a copy of the package's rows: loading the package takes 55 ms of CPU time and 18 MiB,
 * loading the copy 3 ms and 2 MiB.
 */
export function priceTable(): PriceTable {
  table ??= JSON.parse(readFileSync(new URL("./table.json", import.meta.url), "utf8")) as PriceTable;
  return table;
}

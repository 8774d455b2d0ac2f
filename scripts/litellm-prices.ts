import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { TablePrice, TablePrices } from "../src/prices/table.ts";

// Reads LiteLLM's table of prices, which is a file of its Python package.

const fileInPackage = "model_prices_and_context_window_backup.json";

const entrySchema = z.looseObject({ litellm_provider: z.string().default(""), mode: z.string().default("") });
const tableSchema = z.record(z.string(), entrySchema);

/** Models of one of Dragoman's providers in LiteLLM's table. */
interface LiteLlmProvider {
  /** Values of `litellm_provider`. */
  readonly names: readonly string[];
  /** Prefix of keys, which is not part of the model's name. Keys without it are kept as they are. */
  readonly prefix?: string;
  /** Whether the name of a model can have slashes. Otherwise such a key is the model in a single region. */
  readonly slashes?: boolean;
}

/** Names of Dragoman's providers in LiteLLM's table. */
const providers: Readonly<Record<string, LiteLlmProvider>> = {
  openai: { names: ["openai"] },
  "azure-openai": { names: ["azure"], prefix: "azure/" },
  anthropic: { names: ["anthropic"] },
  gemini: { names: ["gemini"], prefix: "gemini/" },
  vertex: { names: ["vertex_ai-language-models", "vertex_ai-anthropic_models"], prefix: "vertex_ai/" },
  bedrock: { names: ["bedrock_converse"] },
  openrouter: { names: ["openrouter"], prefix: "openrouter/", slashes: true },
  mistral: { names: ["mistral"], prefix: "mistral/" },
  cohere: { names: ["cohere_chat"] },
  groq: { names: ["groq"], prefix: "groq/", slashes: true },
  xai: { names: ["xai"], prefix: "xai/" },
  deepseek: { names: ["deepseek"], prefix: "deepseek/" },
  moonshot: { names: ["moonshot"], prefix: "moonshot/" },
  cerebras: { names: ["cerebras"], prefix: "cerebras/" },
  together: { names: ["together_ai"], prefix: "together_ai/", slashes: true },
  fireworks: { names: ["fireworks_ai"], prefix: "fireworks_ai/", slashes: true },
  perplexity: { names: ["perplexity"], prefix: "perplexity/" },
};

/** A chat model of LiteLLM's table. */
export interface LiteLlmModel {
  /** Name at the provider, in lower case. */
  readonly name: string;
  /** Prices in the usual service tier. */
  readonly prices: TablePrices;
  /** Prices in the service tiers `flex` and `priority`, as far as LiteLLM knows them. */
  readonly serviceTiers: Readonly<Record<string, TablePrices>>;
}

/** LiteLLM's table of prices. */
export interface LiteLlmTable {
  /** Package and version, or the name of the file. */
  readonly version: string;
  /** Returns the chat models of one of Dragoman's providers. */
  modelsOf(provider: string): readonly LiteLlmModel[];
}

/**
 * Reads the table from a file, or from the newest version of the package at PyPI, which it downloads and does not
 * install. That needs `python3` with pip.
 */
export function readLiteLlmTable(file?: string): LiteLlmTable {
  const { version, json } = file === undefined ? download() : { version: file, json: readFileSync(file, "utf8") };
  const entries = Object.entries(tableSchema.parse(JSON.parse(json)));
  return {
    version,
    modelsOf(provider) {
      const { names, prefix = "", slashes = false } = providers[provider] ?? { names: [] };
      const models = entries.flatMap(([key, entry]) => {
        const name = (key.startsWith(prefix) ? key.slice(prefix.length) : key).toLowerCase();
        if (!names.includes(entry.litellm_provider) || !isChat.has(entry.mode)) return [];
        return name.includes("/") && !slashes ? [] : (modelOf(name, entry) ?? []);
      });
      // A model can be there with and without the prefix.
      return [...new Map(models.map((model) => [model.name, model])).values()];
    },
  };
}

const isChat: ReadonlySet<string> = new Set(["chat", "responses"]);

function download(): { readonly version: string; readonly json: string } {
  const folder = mkdtempSync(join(tmpdir(), "litellm-"));
  try {
    const pip = [
      "-m",
      "pip",
      "download",
      "--quiet",
      "--no-deps",
      "--only-binary",
      ":all:",
      "--dest",
      folder,
      "litellm",
    ];
    execFileSync("python3", pip, { stdio: ["ignore", "ignore", "inherit"] });
    const [wheel = ""] = globSync("litellm-*.whl", { cwd: folder });
    const read = "import sys, zipfile; sys.stdout.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]).decode())";
    const json = execFileSync("python3", ["-c", read, join(folder, wheel), `litellm/${fileInPackage}`], {
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    });
    return { version: `litellm ${wheel.split("-")[1]}`, json };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Entry = z.infer<typeof entrySchema>;

function modelOf(name: string, entry: Entry): LiteLlmModel | undefined {
  const prices = pricesIn(entry, "");
  if (prices === undefined) return undefined;
  const serviceTiers = ["flex", "priority"].flatMap((tier) => {
    const ofTier = pricesIn(entry, `_${tier}`);
    return ofTier === undefined ? [] : [[tier, ofTier] as const];
  });
  return { name, prices, serviceTiers: Object.fromEntries(serviceTiers) };
}

/** Fields of LiteLLM's table, which have the prices of a token. */
const fields = {
  input_mtok: "input_cost_per_token",
  cache_read_mtok: "cache_read_input_token_cost",
  cache_write_mtok: "cache_creation_input_token_cost",
  cache_write_1h_mtok: "cache_creation_input_token_cost_above_1hr",
  input_audio_mtok: "input_cost_per_audio_token",
  input_image_mtok: "input_cost_per_image_token",
  output_mtok: "output_cost_per_token",
  output_reasoning_mtok: "output_cost_per_reasoning_token",
  output_audio_mtok: "output_cost_per_audio_token",
  output_image_mtok: "output_cost_per_image_token",
} as const satisfies Partial<Record<keyof TablePrices, string>>;

/** Numbers of thousands of prompt tokens above which prices can differ. */
const thresholds = [32, 100, 128, 200, 256, 272, 512];

/** Returns the prices of tokens. Undefined: the entry has none for the prompt or for the output. */
function pricesIn(entry: Entry, suffix: string): TablePrices | undefined {
  const prices = Object.entries(fields).flatMap(([kind, field]) => {
    const base = dollarsPerMillion(entry[`${field}${suffix}`]);
    if (base === undefined) return [];
    const tiers = thresholds.flatMap((thousands) => {
      const price = dollarsPerMillion(entry[`${field}_above_${thousands}k_tokens${suffix}`]);
      return price === undefined ? [] : [{ start: thousands * 1000, price }];
    });
    return [[kind, tiers.length === 0 ? base : { base, tiers }] as const];
  });
  const all: Readonly<Record<string, TablePrice>> = Object.fromEntries(prices);
  return all["input_mtok"] === undefined || all["output_mtok"] === undefined ? undefined : all;
}

function dollarsPerMillion(perToken: unknown): number | undefined {
  return typeof perToken === "number" ? Number((perToken * 1e6).toFixed(6)) : undefined;
}

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const script = resolve(import.meta.dirname, "../../scripts/check-prices.ts");

/** A model of LiteLLM's table, with its prices in US dollars per token. */
const model = (provider: string, prices: object, mode = "chat") => ({ litellm_provider: provider, mode, ...prices });

it("reports prices that differ by more than 1 %, and models that only one of the tables has", () => {
  const folder = mkdtempSync(join(tmpdir(), "prices-"));
  try {
    const table = {
      "gpt-4o": model("openai", {
        input_cost_per_token: 2.5e-6,
        output_cost_per_token: 1.005e-5,
        cache_read_input_token_cost: 1e-6,
      }),
      "gpt-9": model("openai", { input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 }),
      "text-embedding-3-small": model("openai", { input_cost_per_token: 2e-8, output_cost_per_token: 0 }, "embedding"),
      "gemini/gemini-2.5-pro": model("gemini", {
        input_cost_per_token: 1.25e-6,
        input_cost_per_token_above_200k_tokens: 2.5e-6,
        output_cost_per_token: 1e-5,
        output_cost_per_token_above_200k_tokens: 3e-5,
        cache_read_input_token_cost: 1.25e-7,
        cache_read_input_token_cost_above_200k_tokens: 2.5e-7,
      }),
      "mistral/mistral-large-latest": model("mistral", { input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 }),
    };
    const file = join(folder, "prices.json");
    writeFileSync(file, JSON.stringify(table));
    const lines = execFileSync(process.execPath, [script, file], { encoding: "utf8" }).split("\n");
    expect(lines).toContain("openai: 1 models compared, 1 differences");
    expect(lines).toContain("  gpt-4o: cached input 1.25, LiteLLM 1.00 (-20 %)");
    expect(lines).toContain("  price only in LiteLLM: gpt-9");
    expect(lines).toContain("gemini: 1 models compared, 1 differences");
    expect(lines).toContain("  gemini-2.5-pro above 200000 tokens: output 15.00, LiteLLM 30.00 (+100 %)");
    expect(lines).toContain("  price only in LiteLLM: mistral-large-latest");
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}models of the catalog without a price: mistral-large-latest/),
    );
    expect(lines.join("\n")).not.toContain("embedding");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

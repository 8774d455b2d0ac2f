import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const script = resolve(import.meta.dirname, "../../scripts/check-models.ts");

const record = {
  limit: { context: 128_000, output: 16_384 },
  modalities: { input: ["text", "image"], output: ["text"] },
  reasoning: false,
  tool_call: true,
};

test("reports different, missing and new models compared to the database", () => {
  const database = {
    openai: {
      models: {
        "gpt-4o": record,
        "gpt-4o-mini": { ...record, limit: { context: 256_000, output: 16_384 }, status: "deprecated" },
        "gpt-9": { ...record, release_date: "2027-01-01" },
        "gpt-10": { ...record, release_date: "2027-02-01" },
        "gpt-retired": { ...record, status: "deprecated" },
        "gpt-painter": { ...record, modalities: { input: ["text"], output: ["image"] } },
      },
    },
  };
  const folder = mkdtempSync(join(tmpdir(), "models-"));
  try {
    const file = join(folder, "api.json");
    writeFileSync(file, JSON.stringify(database));
    const lines = execFileSync(process.execPath, [script, file], { encoding: "utf8" }).split("\n");
    expect(lines).toContain("  gpt-4o-mini: context window is 128000 in the catalog, 256000 in models.dev");
    expect(lines).toContain("  gpt-4o-mini: deprecated in models.dev");
    expect(lines).toContain("  gpt-4.1: not in models.dev");
    expect(lines).toContain("  only in models.dev: gpt-10, gpt-9");
    expect(lines.filter((line) => line.startsWith("  gpt-4o:"))).toEqual([]);
    expect(lines).toContain("anthropic: models.dev has no provider anthropic");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

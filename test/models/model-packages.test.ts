import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, it } from "vitest";

const script = resolve(import.meta.dirname, "../../scripts/check-models.ts");

/** Differences that somebody has looked at, by their reason. */
const known: Readonly<Record<string, readonly string[]>> = {
  // OpenAI's error says "Function tools with reasoning_effort are not supported": the sources in reasoning-models.ts.
  "the package is wrong": [
    ...["gpt-6-astra", "gpt-6.1-sol", "gpt-6.1-terra", "gpt-6-luna", "gpt-6-sol"],
    ...["gpt-5.5", "gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano"],
  ].map((name) => `${name}: tools at each effort is false here, true in @ai-sdk/openai`),
  "Anthropic's pages on adaptive thinking state that these models reject a budget": [
    ...["claude-opus-5", "claude-sonnet-5", "claude-opus-4-8", "claude-opus-4-7"],
  ].map((name) => `${name}: a budget is false here, true in @ai-sdk/anthropic`),
  "the SDK's comment lists only models of Chat Completions; OpenAI's page on deprecations has the others": [
    ...["gpt-5-pro", "gpt-5-pro-2025-10-06", "o3-pro", "o3-pro-2025-06-10"].map((name) => [name, "2026-12-11"]),
    ["gpt-5.3-codex", "2027-04-01"],
  ].map(([name, day]) => `${name}: shutdown date is ${day} here, unknown in openai's SDK`),
  "no type of Google's client has this level": [
    "gemini-4-hydrogen: efforts is low,medium,high here, low,medium,high,xhigh in @ai-sdk/google",
  ],
  "the package has the context window of another snapshot, or of today": [
    "gpt-3.5-turbo-0613: context window is 4096 here, 16385 in @pydantic/genai-prices",
    "llama3.1-8b: context window is 8192 here, 32768 in @pydantic/genai-prices",
  ],
};

it("differs from the tables of npm packages only where somebody has looked", () => {
  const output = execFileSync(process.execPath, [script, "packages"], { encoding: "utf8" });
  const [head, ...lines] = output.trimEnd().split("\n");
  const expected = Object.values(known).flat();
  expect(lines.map((line) => line.trim()).sort()).toEqual(expected.sort());
  expect(head).toBe(`packages: ${expected.length} differences`);
});

import { expect, it } from "vitest";
import { tokensOf } from "../../scripts/generate-vocabularies.ts";
import { readTokens } from "../../src/tokens/token-file.ts";

it.each([
  "o200k",
  "cl100k",
  "llama-3",
] as const)("has the tokens of the installed package: %s; otherwise run `npm run generate:vocabularies`", (file) => {
  // One comparison: a list of 200,000 differences would take minutes to print.
  expect([...readTokens(file).keys()].join("\n") === tokensOf(file).join("\n")).toBe(true);
});

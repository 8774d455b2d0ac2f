import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { cliPage } from "../../scripts/generate-cli.ts";

it("docs/cli.md has the help of each command; `npm run generate:cli` writes it", async () => {
  expect(readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8")).toBe(await cliPage());
});

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { embeddingRows } from "./embedding-cases.ts";
import { usualProviders } from "./providers.ts";
import { pythonTables } from "./table.ts";

const page = readFileSync(new URL("../../../docs/clients.md", import.meta.url), "utf8");

it("docs/clients.md has the tables of the clients for Python", () => {
  expect(page).toContain(`\n\n${pythonTables()}\n`);
});

it("docs/clients.md names the models of the clients for Python", () => {
  for (const { model } of [...usualProviders, ...embeddingRows]) expect(page).toContain(`\`${model}\``);
});

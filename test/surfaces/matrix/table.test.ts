import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { clients } from "./clients.ts";
import { embeddingClients } from "./embedding-clients.ts";
import { embeddingModels, providers } from "./providers.ts";
import { clientTable } from "./table.ts";

const root = join(import.meta.dirname, "../../..");
const page = readFileSync(join(root, "docs/clients.md"), "utf8");

it("docs/clients.md has the table of the matrix", () => {
  expect(page).toContain(`\n\n${clientTable()}\n`);
});

it("docs/clients.md names the models of the matrix", () => {
  const models = [...providers.map(({ model }) => model), "echo/embed", ...embeddingModels];
  for (const model of models) expect(page).toContain(`\`${model}\``);
});

it("the clients of the matrix are packages of this project", () => {
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const packages = [...clients, ...embeddingClients].flatMap((client) => client.package ?? []);
  expect(Object.keys(devDependencies)).toEqual(expect.arrayContaining(packages));
});

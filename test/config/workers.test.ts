import { availableParallelism } from "node:os";
import { expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { peekWorkers } from "../../src/config/workers-number.ts";
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

it("peeks at the number of workers as loading the configuration reads it", () => {
  const peek = (yaml: string) => peekWorkers(writeConfig(yaml), { COUNT: "3" });
  expect(["", "workers: 3", 'workers: "3"', `workers: \${COUNT}`, "workers: auto"].map(peek)).toEqual([
    ...[1, 3, 3, 3, availableParallelism()],
  ]);
  // Loading reports these.
  expect(["workers: 0", "workers: 257", "workers: 1.5", "workers: [", `workers: \${MISSING}`].map(peek)).toEqual([
    ...[1, 1, 1, 1, 1],
  ]);
  expect([peekWorkers("/nowhere.yaml", {}), peekWorkers(undefined, {}), peekWorkers("/dev/stdin", {})]).toEqual([
    1, 1, 1,
  ]);
  expect(peekWorkers(undefined, { DRAGOMAN_CONFIG: writeConfig("workers: 2") })).toBe(2);
});

it("takes workers together with models in memory, which a process has for all workers", () => {
  expect(load("{ workers: 2, providers: { local: { enabled: true } } }").workers).toBe(2);
});

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");
const main = resolve(root, "bin/main.cjs");

/** Runs bin/main.cjs in a process that takes its Node.js for another version. */
function runAs(version: string) {
  const script = `
    Object.defineProperty(process, "versions", { value: { node: ${JSON.stringify(version)} } });
    process.argv.splice(1, 0, "dragoman", "--version");
    require(${JSON.stringify(main)});`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--eval", script], { encoding: "utf8" });
  return { status, stdout, stderr };
}

it.each(["18.20.8", "20.20.2", "22.18.0", "23.11.1"])("exits with one sentence on Node.js %s", (version) => {
  expect(runAs(version)).toEqual({
    status: 1,
    stdout: "",
    stderr: `dragoman: needs Node.js 22.19, 24 or later, but this is ${version}\n`,
  });
});

it.each(["22.19.0", "22.20.1", "24.0.0", "25.1.0", "26.10.0"])("runs on Node.js %s", (version) => {
  expect(runAs(version)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

it("keeps an import of node:http from loading what belongs to WebSockets", () => {
  const script = `
    process.argv.splice(1, 0, "dragoman", "--version");
    require(${JSON.stringify(main)});
    import("node:http").then(() => console.error(process.moduleLoadList.filter((name) => name.includes("undici"))));`;
  const { stderr } = spawnSync(process.execPath, ["--eval", script], { encoding: "utf8" });
  expect(stderr).toBe("[]\n");
});

it("accepts the same versions as the package", () => {
  const { engines } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8"));
  expect(engines).toEqual({ node: "^22.19.0 || >=24.0.0" });
});

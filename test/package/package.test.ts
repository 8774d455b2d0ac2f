import { execFile } from "node:child_process";
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { brokenLinksOf } from "../docs/links.ts";
import { startTestService } from "../support/service.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "dragoman-package-"));
const installed = join(folder, "node_modules/dragoman");

/** Puts the package into an empty folder as npm does, but with the other packages of this clone. */
beforeAll(async () => {
  mkdirSync(installed, { recursive: true });
  await run("npm", ["pack", "--loglevel=error", "--pack-destination", folder], { cwd: root });
  const [archive = ""] = globSync("dragoman-*.tgz", { cwd: folder });
  await run("tar", ["-xzf", join(folder, archive), "-C", installed, "--strip-components=1"]);
  const others = readdirSync(join(root, "node_modules")).filter((name) => name !== ".bin");
  for (const name of others) symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  cpSync(join(root, "test/package/consumer"), folder, { recursive: true });
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("has the client that docs/clients.md shows", async () => {
  const [, example = ""] = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, "docs/clients.md"), "utf8")) ?? [];
  expect(example).toContain('from "dragoman/client"');
  writeFileSync(join(folder, "shown.ts"), example);
  const options = ["--module", "nodenext", "--target", "es2022", "--strict", "--noEmit", "--types", "node"];
  await run(join(root, "node_modules/.bin/tsc"), [...options, "--ignoreConfig", "shown.ts"], { cwd: folder });
});

it("has a typed client, for a program that TypeScript checks strictly, with all declarations", async () => {
  await run(join(root, "node_modules/.bin/tsc"), ["--project", folder]);
  const service = await startTestService();
  onTestFinished(() => service.stop());
  const { stdout } = await run(process.execPath, ["call.ts", service.grpcAddress], { cwd: folder });
  expect(stdout.split("\n")).toEqual([
    "unary: the capital of France",
    "stream: the capital of France, 4 tokens",
    "error: InvalidArgument INVALID_REQUEST chat.parameters.temperature",
    "model: echo/echo",
    "",
  ]);
});

it.each([
  "dragoman",
  "dragoman/dist/main.js",
  "dragoman/dist/client/index.js",
  "dragoman/package.json",
])("does not let programs import %s", async (name) => {
  const program = `await import(${JSON.stringify(name)}).catch(({ code }) => console.log(code))`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], { cwd: folder });
  expect(stdout).toBe("ERR_PACKAGE_PATH_NOT_EXPORTED\n");
});

it("has no link of a page that leads nowhere, or outside of the package", () => {
  const pages = globSync("**/*.md", { cwd: installed, exclude: ["node_modules/**"] });
  expect(pages).toContain("examples/README.md");
  expect(pages.flatMap((page) => brokenLinksOf(installed, page).map((problem) => `${page}: ${problem}`))).toEqual([]);
});

it("has no sources, tests, generated clients or source maps", () => {
  const files = globSync("**/*", { cwd: installed, exclude: ["node_modules/**"] });
  expect(files.length).toBeGreaterThan(300);
  const unwanted = /^(?:src|test|bench|scripts)\/|\.map$|^(?:clients|examples)\/\w+\/(?:gen|node_modules|\.venv|bin)\//;
  expect(files.filter((file) => unwanted.test(file))).toEqual([]);
});

it("has the license of each package that is bundled", () => {
  const bundles = globSync("dist/**/*.js", { cwd: installed }).map((file) =>
    readFileSync(join(installed, file), "utf8"),
  );
  const bundled = new Set(
    bundles.flatMap((text) =>
      [...text.matchAll(/^\/\/.* node_modules\/((?:@[^/]+\/)?[^/]+)/gm)].map(([, name]) => name),
    ),
  );
  expect(bundled).toContain("@grpc/grpc-js");
  const notice = readFileSync(join(installed, "dist/THIRD-PARTY.txt"), "utf8");
  expect([...bundled].filter((name) => !notice.includes(`\n${name} `))).toEqual([]);
});

// One other character doubles the memory of a file of the program, since V8 then keeps its text as UTF-16.
it("has only ASCII in its programs", () => {
  const files = globSync("dist/**/*.js", { cwd: installed });
  expect(files.filter((file) => /[^\0-\x7f]/.test(readFileSync(join(installed, file), "utf8")))).toEqual([]);
});

it("has declarations for the client, and for nothing else", () => {
  const declarations = globSync("dist/**/*.d.ts", { cwd: installed }).map((path) => relative("dist", path));
  expect(declarations.filter((path) => !/^(?:client|gen)\//.test(path))).toEqual([]);
  expect(readFileSync(join(installed, "dist/client/index.d.ts"), "utf8")).toContain("createDragomanClient");
});

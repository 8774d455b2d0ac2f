import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTestService } from "../support/service.ts";
import { type Environment, installed, isMissing, run } from "./tools.ts";

const root = new URL("../../", import.meta.url).pathname;

const buf = join(root, "node_modules/.bin/buf");

/** Maximum time for the packages and the compilers of a language, in ms. */
const timeout = 300_000;

/** Clients of docs/clients.md, by the name in the comment that begins their block, and commands that they need. */
const languages = [
  { title: "Go", folder: "go", needs: ["go"] },
  { title: "Go without buf", folder: "go", needs: ["go", "protoc"] },
  { title: "Python", folder: "python", needs: ["python3"] },
  { title: "TypeScript", folder: "typescript", needs: ["npm"] },
  { title: "Java", folder: "java", needs: ["java", "mvn"] },
  { title: "Ruby", folder: "ruby", needs: ["ruby", "grpc_tools_ruby_protoc"] },
  { title: "C#", folder: "csharp", needs: ["dotnet"] },
];

/** Languages of `examples/`. */
const exampleTitles: ReadonlySet<string> = new Set(["Go", "Java", "Python", "TypeScript"]);

/** Lines that the program of each language prints. */
const expected = [
  "unary: hello, world (2 output tokens)",
  "stream: hello again, world (3 output tokens)",
  'tool call: get_weather {"city":"Paris"}',
  "tool answer: 18 degrees and sunny",
  "cancel: status 1 after one",
  "error: status 3",
  "reason: dragoman INVALID_REQUEST",
  expect.stringMatching(/^violation: chat\.parameters\.temperature: must be ./),
  expect.stringMatching(/^call: chatcmpl-[0-9a-f]{32}$/),
];

/** Build output of clients, which a clone does not have. */
const ignored = new Set([".venv", "bin", "gen", "node_modules", "obj", "target"]);

let clone: string;
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "dragoman-clone-"));
  for (const path of ["buf.yaml", "package.json", "proto", "src"])
    cpSync(join(root, path), join(clone, path), { recursive: true });
  const filter = (path: string): boolean => !ignored.has(basename(path));
  for (const name of ["clients", "examples"]) cpSync(join(root, name), join(clone, name), { recursive: true, filter });
  symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

describe.skipIf(isMissing("a client of clients/", installed("client-templates")))(
  "the commands of docs/clients.md",
  () => {
    for (const { title, folder, needs } of languages) {
      const missing = needs.filter((command) => spawnSync("which", [command]).status !== 0);
      if (missing.length > 0) process.stdout.write(`skipped: ${title} needs ${missing.join(", ")} on the PATH\n`);

      it.skipIf(missing.length > 0)(
        `generate and run the client for ${title}, and change no other file`,
        async () => {
          await using stack = new AsyncDisposableStack();
          const service = await startTestService();
          stack.defer(() => service.stop());
          const before = hashFiles(folder);

          const environment = { ...withoutNpm(), DRAGOMAN_ADDRESS: service.grpcAddress };
          const script = ["-euo", "pipefail", "-c", commandsFor(title)];
          const { code, stdout, stderr } = await run("bash", script, environment, { cwd: clone });

          expect({ code, stderr }).toMatchObject({ code: 0 });
          // Maven ends its output with an escape sequence, also without a terminal.
          const lines = stripVTControlCharacters(stdout).trimEnd().split("\n");
          const ownLines = lines.slice(lines.findIndex((line) => line.startsWith("unary: ")));
          expect(ownLines).toEqual(expected);
          const outcomes = [];
          for (let calls = 0; calls < 6; calls++) outcomes.push((await service.nextRecord()).outcome);
          expect(outcomes.sort()).toEqual(["cancelled", "ok", "ok", "ok", "ok", "refused"]);
          expect(hashFiles(folder)).toEqual(before);
        },
        timeout,
      );
    }
  },
);

describe.skipIf(isMissing("a client of examples/", installed("client-templates")))(
  "the commands of examples/README.md",
  () => {
    for (const { title, folder, needs } of languages.filter(({ title }) => exampleTitles.has(title))) {
      it.skipIf(needs.some((command) => spawnSync("which", [command]).status !== 0))(
        `generate the code and run an example in ${title}, and change no other file`,
        async () => {
          await using stack = new AsyncDisposableStack();
          const service = await startTestService();
          stack.defer(() => service.stop());
          const before = hashFiles(folder);
          const environment = { ...withoutNpm(), DRAGOMAN_ADDRESS: service.grpcAddress, PYTHONDONTWRITEBYTECODE: "1" };
          const script = ["-euo", "pipefail", "-c", commandsFor(title, "examples/README.md")];
          const { code, stdout, stderr } = await run("bash", script, environment, { cwd: clone });
          expect({ code, stderr }).toMatchObject({ code: 0 });
          const lines = stripVTControlCharacters(stdout).trimEnd().split("\n");
          expect(lines.slice(-2)).toEqual(["What is the capital of France?", "6 output tokens"]);
          expect(hashFiles(folder)).toEqual(before);
        },
        timeout,
      );
    }
  },
);

describe("a clone", () => {
  it("keeps its files if a stranger runs a bare `buf generate`", async () => {
    const before = hashFiles();
    const { code } = await run(buf, ["generate"], {}, { cwd: clone });
    expect(code).not.toBe(0);
    expect(hashFiles()).toEqual(before);
  });

  it("has a proto folder that builds by itself", async () => {
    rmSync(join(clone, "buf.yaml"));
    for (const paths of [[], ["--path", "dragoman"]]) {
      const { code, stderr } = await run(buf, ["build", ...paths], {}, { cwd: join(clone, "proto") });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    }
  });
});

/** Returns the commands of a page's block for a client: at most four lines. */
function commandsFor(title: string, path = "docs/clients.md"): string {
  const page = readFileSync(join(root, path), "utf8");
  const [block] = page.matchAll(new RegExp(`^\`\`\`sh\n# ${title}: needs .*\n([^\`]*)^\`\`\`$`, "gm"));
  if (block?.[1] === undefined) throw new Error(`${path} has no commands for ${title}`);
  expect(block[1].trimEnd().split("\n").length).toBeLessThanOrEqual(4);
  return block[1];
}

/** Unsets the variables of the `npm run` around this test. */
function withoutNpm(): Environment {
  const names = Object.keys(process.env).filter((name) => name.startsWith("npm_"));
  return { ...Object.fromEntries(names.map((name) => [name, undefined])), ...quickTools };
}

/** Without what only pays off in programs that run for longer: optimized code of Maven, and compiled Python packages. */
const quickTools = { MAVEN_OPTS: "-XX:TieredStopAtLevel=1", PIP_NO_COMPILE: "1" };

/** Returns the hash of each file of the clone, except in node_modules and in the folders of one language. */
function hashFiles(except = ""): Readonly<Record<string, string>> {
  const folders = readdirSync(clone).filter((name) => name !== "node_modules");
  const paths = folders
    .flatMap((folder) => filesUnder(join(clone, folder)))
    .filter(
      (path) => except === "" || !["clients", "examples"].some((name) => path.startsWith(join(clone, name, except))),
    );
  const hash = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");
  return Object.fromEntries(paths.map((path) => [path, hash(path)]));
}

function filesUnder(path: string): readonly string[] {
  if (statSync(path).isFile()) return [path];
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

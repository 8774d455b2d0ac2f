import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { declarations } from "../../src/providers/registry.ts";

const root = resolve(import.meta.dirname, "../..");
const source = join(root, "src");
/** The files that name every provider, with an import and a line in a list. */
const lists = ["providers/registry.ts", "providers/listed-models.ts"];

interface Import {
  readonly statement: string;
  /** What it imports, from the folder of this name in `src/`. */
  readonly names: readonly string[];
  readonly target: string;
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(source, file), "utf8");
  const statements = text.matchAll(/^(?:import|export) (?:type )?\{([^}]*)\} from "(\.[^"]+)";\n/gm);
  return [...statements].map(([statement, names = "", path = ""]) => ({
    statement,
    names: names.split(",").flatMap((name) => name.trim().split(" ").at(-1) || []),
    target: join(dirname(file), path),
  }));
}

/** The folders of providers: what the registry imports from. */
const folders = [...new Set(importsOf("providers/registry.ts").map(({ target }) => dirname(target)))].filter(
  (folder) => folder !== "providers",
);

const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".ts") && !file.startsWith("gen"),
);

const isIn = (file: string, folder: string): boolean => file.startsWith(`${folder}/`);

it("names each provider once, in lower case", () => {
  const names = declarations.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
  for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9-]*$/);
});

describe("a provider's folder and its lines in the lists are all there is of it", () => {
  it.each(folders)("nothing else imports from %s", (folder) => {
    const others = files.filter((file) => !isIn(file, folder) && !lists.includes(file));
    const users = others.filter((file) => importsOf(file).some(({ target }) => isIn(target, folder)));
    expect(users).toEqual([]);
  });

  const copies: string[] = [];
  afterEach(() => {
    for (const copy of copies.splice(0)) rmSync(copy, { recursive: true });
  });

  /** A copy of `src/` without a provider. */
  function copyWithout(folder: string): string {
    const copy = mkdtempSync(join(tmpdir(), "dragoman-without-"));
    copies.push(copy);
    cpSync(source, join(copy, "src"), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    cpSync(join(root, "package.json"), join(copy, "package.json"));
    const config = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"));
    writeFileSync(join(copy, "tsconfig.json"), JSON.stringify({ ...config, include: ["src"] }));
    rmSync(join(copy, "src", folder), { recursive: true });
    for (const list of lists) {
      const gone = importsOf(list).filter(({ target }) => isIn(target, folder));
      const names = gone.flatMap((one) => one.names);
      const text = gone.reduce(
        (rest, { statement }) => rest.replace(statement, ""),
        readFileSync(join(source, list), "utf8"),
      );
      const isGone = (line: string) => names.includes(line.trim().replace(/^\.\.\.|(?:\(\))?,$/g, ""));
      writeFileSync(
        join(copy, "src", list),
        text
          .split("\n")
          .filter((line) => !isGone(line))
          .join("\n"),
      );
    }
    return copy;
  }

  // One of each kind: of an own dialect, of a shared one, and servers of Chat Completions.
  const kinds = folders.filter((folder) => /\/(?:anthropic|gemini|openai|groq)$/.test(folder));

  it.each(kinds)("the rest compiles without %s", (folder) => {
    const tsc = join(root, "node_modules/.bin/tsc");
    const { status, stdout } = spawnSync(tsc, ["--project", copyWithout(folder)], { encoding: "utf8" });
    expect(stdout).toBe("");
    expect(status).toBe(0);
  }, 30_000);
});

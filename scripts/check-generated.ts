import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configSchemas } from "./config-schemas.ts";
import { referencePages } from "./reference/pages.ts";

// Generates the code into a temporary folder, the JSON Schemas and the pages of docs/reference. Fails if the committed
// files differ from them.

const fresh = mkdtempSync(join(tmpdir(), "dragoman-generated-"));
const differing = new Set<string>();
try {
  const run = (...args: string[]) => execFileSync("buf", args, { stdio: "inherit" });
  run("generate", "--template", "scripts/service.gen.yaml", "-o", fresh);
  const image = join(fresh, "src/gen/descriptors.binpb");
  run(
    "build",
    "--as-file-descriptor-set",
    "-o",
    image,
    "--path",
    "proto/dragoman",
    "--path",
    "proto/grpc",
    "--path",
    "proto/google/rpc",
  );

  const expected = filesUnder(join(fresh, "src/gen"));
  const actual = filesUnder("src/gen");
  for (const path of new Set([...expected.keys(), ...actual.keys()])) {
    const wanted = expected.get(path);
    const found = actual.get(path);
    if (wanted === undefined || found === undefined || !wanted.equals(found)) differing.add(path);
  }
  for (const [path, text] of referencePages(readFileSync(image)))
    if (!existsSync(path) || readFileSync(path, "utf8") !== text) differing.add(path);
} finally {
  rmSync(fresh, { recursive: true });
}

for (const [path, text] of configSchemas()) {
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) differing.add(path);
}

if (differing.size > 0) {
  const advice = "run `npm run generate` and `npm run generate:schemas`";
  console.error(`generated code is not up to date: ${advice}\n  ${[...differing].sort().join("\n  ")}`);
  process.exit(1);
}

function filesUnder(root: string): ReadonlyMap<string, Buffer> {
  const paths = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    paths.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(root.length + 1), readFileSync(path)];
    }),
  );
}

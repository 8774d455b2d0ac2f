import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { referencePages } from "./reference/pages.ts";

// Writes the pages of docs/reference.

for (const [path, text] of referencePages(readFileSync("src/gen/descriptors.binpb"))) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

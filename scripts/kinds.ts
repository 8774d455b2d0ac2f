import { existsSync } from "node:fs";
import { kinds } from "../test/contract/kinds/rows.ts";
import { isFileHold, toKindTable } from "../test/contract/kinds/table.ts";
import { dialects } from "../test/contract/load-dialects.ts";
import { vitestResults } from "./vitest-results.ts";

// Runs the tests that hold the kinds of faults in translations, and prints the table of kinds, provider APIs and forms.

const files = Object.values(kinds).flatMap((rows) =>
  rows.flatMap(({ holds }) => holds.filter(isFileHold).map(({ file }) => file)),
);
const others = new Set(files.filter((file) => existsSync(file) && !file.startsWith("test/contract/")));
const { text, problems } = toKindTable(kinds, dialects, vitestResults("test/contract", ...others));

console.log(`\n${text}`);
if (problems.length > 0) console.log("\nMissing");
for (const problem of problems) console.log(`✗ ${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;

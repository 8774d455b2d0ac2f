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
const tests = vitestResults("test/contract", ...others);
const { text, problems, unconfirmed } = toKindTable(kinds, dialects, tests);

console.log(`\n${text}\n`);
for (const kind of unconfirmed) console.log(`? ${kind}`);
for (const problem of problems) console.log(`✗ ${problem}`);
console.log(
  `${Object.values(kinds).flat().length} kinds, ${unconfirmed.length} to be confirmed, ${problems.length} cells without a test`,
);
process.exitCode = problems.length > 0 ? 1 : 0;

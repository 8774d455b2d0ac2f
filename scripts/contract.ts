import { dialects } from "../test/contract/load-dialects.ts";
import { toMatrix } from "../test/contract/matrix.ts";
import { vitestResults } from "./vitest-results.ts";

// Runs the contract suite, and prints a table of provider APIs and cases, with the reason if a case does not apply.

const tests = vitestResults("test/contract");
const statuses = new Map(tests.map(({ ancestorTitles: [heading], title, status }) => [`${heading} ${title}`, status]));
const { text, problems } = toMatrix(dialects, (heading, test) => statuses.get(`${heading} ${test}`));
const failed = tests.filter(({ status }) => status === "failed");

console.log(`\n${text}\n`);
for (const problem of problems) console.log(`✗ ${problem}`);
for (const { ancestorTitles, title } of failed) console.log(`FAILED ${[...ancestorTitles, title].join(" > ")}`);
console.log(`${tests.length} tests, ${failed.length} failed`);
process.exitCode = problems.length + failed.length > 0 ? 1 : 0;

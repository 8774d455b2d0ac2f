// Starts the program: the sources in a clone, and what `npm run build` made of them in the installed package, where
// Node.js runs no TypeScript. Uses only what old versions of Node.js have, so that they print the sentence below.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major >= 24 || (major === 22 && minor >= 19)) {
  const { existsSync } = require("node:fs");
  import(existsSync(`${__dirname}/../src/main.ts`) ? "../src/main.ts" : "../dist/main.js");
} else {
  process.stderr.write(`dragoman: needs Node.js 22.19, 24 or later, but this is ${process.versions.node}\n`);
  process.exitCode = 1;
}

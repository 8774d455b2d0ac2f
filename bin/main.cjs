// Starts the program: the sources in a clone, and what `npm run build` made of them in the installed package, where
// Node.js runs no TypeScript. Uses only what old versions of Node.js have, so that they print the sentence below.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major >= 24 || (major === 22 && minor >= 19)) {
  const { existsSync } = require("node:fs");
  // An import of node:http reads all that it exports. These three would load the undici of Node.js: 50 ms and 15 MiB.
  const http = require("node:http");
  for (const name of ["WebSocket", "CloseEvent", "MessageEvent"]) delete http[name];
  if (existsSync(`${__dirname}/../src/main.ts`)) {
    // Keeps what Node.js makes of TypeScript: a quarter of the time of the next start, and 25 MB. Threads follow the
    // variable.
    const folder = `${__dirname}/../node_modules/.cache/dragoman`;
    require("node:module").enableCompileCache(folder);
    process.env.NODE_COMPILE_CACHE = folder;
    import("../src/main.ts");
  } else {
    import("../dist/main.js");
  }
} else {
  process.stderr.write(`dragoman: needs Node.js 22.19, 24 or later, but this is ${process.versions.node}\n`);
  process.exitCode = 1;
}

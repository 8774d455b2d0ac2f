import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";

// Compiles src/ to dist/, for the package: Node.js runs no TypeScript in node_modules. Copies the generated code and
// the data beside it. Only the client has declarations, since nothing else can be imported.

rmSync("dist", { recursive: true, force: true });
execFileSync("tsc", ["--project", "tsconfig.build.json"], { stdio: "inherit" });
execFileSync("tsc", ["--project", "tsconfig.client.json"], { stdio: "inherit" });
const isCopied = (path: string) => !path.endsWith(".ts") || /^src[/\\]gen[/\\].*\.d\.ts$/.test(path);
cpSync("src", "dist", { recursive: true, filter: isCopied });

import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";

// Compiles src/ to dist/, for the package: Node.js runs no TypeScript in node_modules. Copies the generated code and
// the data beside it.

rmSync("dist", { recursive: true, force: true });
execFileSync("tsc", ["--project", "tsconfig.build.json"], { stdio: "inherit" });
cpSync("src", "dist", { recursive: true, filter: (path) => !path.endsWith(".ts") });

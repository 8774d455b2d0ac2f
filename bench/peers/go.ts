import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Server } from "../bench.ts";
import { freePort, type ProcessGroup, untilListening } from "../processes.ts";

/** Builds the gateway of bench/peers/go with the generated code and the packages of clients/go, unless it is there. */
async function build(root: string): Promise<string> {
  const directory = join(root, ".bench/go");
  const program = join(directory, "gateway");
  const sources = ["bench/peers/go/main.go", "clients/go/go.mod", "clients/go/go.sum"].map((file) => join(root, file));
  const hash = sources.reduce((sum, file) => sum.update(readFileSync(file)), createHash("sha256")).digest("hex");
  const note = join(directory, "built");
  if (existsSync(program) && existsSync(note) && readFileSync(note, "utf8") === hash) return program;
  mkdirSync(directory, { recursive: true });
  for (const file of sources) copyFileSync(file, join(directory, file.slice(file.lastIndexOf("/") + 1)));
  const run = promisify(execFile);
  const buf = join(root, "node_modules/.bin/buf");
  await run(buf, ["generate", "--output", directory], { cwd: join(root, "clients/go") });
  await run("go", ["build", "-o", "gateway", "."], { cwd: directory });
  writeFileSync(note, hash);
  return program;
}

/** Starts the gateway in grpc-go. Undefined: Go is not installed. */
export async function startGo(processes: ProcessGroup, root: string, upstream: string): Promise<Server | undefined> {
  try {
    await promisify(execFile)("go", ["version"]);
  } catch {
    return undefined;
  }
  const program = await build(root);
  const port = await freePort();
  const child = processes.start("grpc-go", [upstream, String(port)], { program });
  await processes.whileAlive(untilListening(port));
  return { name: "grpc-go gateway", pid: child.pid, target: { protocol: "grpc", port } };
}

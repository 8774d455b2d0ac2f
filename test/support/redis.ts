import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, isMissing, startServer, type TestServer } from "./server-process.ts";

/** Redis on a free loopback port. It keeps nothing when it ends. */
export interface TestRedis extends TestServer {
  readonly url: string;
}

const program = findProgram("redis-server");

/** Whether Redis is not installed. Prints that the tests that need it are skipped. */
export const noRedis = isMissing("Redis", program, "apt-get install redis-server");

/** @param settings Settings of the server, such as `maxmemory: "1mb"`. */
export async function startRedis(settings: Readonly<Record<string, string>> = {}): Promise<TestRedis> {
  if (program === undefined) throw new Error("Redis is not installed");
  const folder = mkdtempSync(join(tmpdir(), "dragoman-redis-"));
  const all = { bind: "127.0.0.1", save: "", appendonly: "no", dir: folder, ...settings };
  const server = await startServer({
    command: program,
    parameters: (port) =>
      Object.entries({ ...all, port: String(port) }).flatMap(([name, value]) => [`--${name}`, value]),
    ready: /Ready to accept connections/,
    stopSignal: "SIGTERM",
  });
  return Object.assign(Object.create(server) as TestServer, {
    url: `redis://127.0.0.1:${server.port}`,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  });
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it, onTestFinished } from "vitest";

const main = resolve(import.meta.dirname, "../src/main.ts");

/** Writes the URL of each module that a thread loads, to a file for each kind of thread. */
const hook = `
  import { appendFileSync } from "node:fs";
  import { registerHooks } from "node:module";
  import { isMainThread } from "node:worker_threads";
  registerHooks({
    load(url, context, next) {
      appendFileSync(isMainThread ? "main" : "thread", url + "\\n");
      return next(url, context);
    },
  });`;

/** Starts the service without a configuration file, and stops it when it is ready. Returns the folder with the lists. */
async function start(variables: Record<string, string> = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-start-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const service = spawn(process.execPath, [main], {
    cwd: folder,
    env: {
      HOME: folder,
      // A folder without models, whatever the clone has.
      DRAGOMAN_LOCAL_HOME: folder,
      ...variables,
      DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0",
      DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0",
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(hook)}`,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  await once(service.stderr, "data");
  service.stderr.resume();
  service.kill("SIGTERM");
  await once(service, "exit");
  return folder;
}

/** Returns the packages of a list of modules. */
function packagesIn(file: string): readonly string[] {
  const names = readFileSync(file, "utf8").matchAll(/.*\/node_modules\/((?:@[^/\n]+\/)?[^/\n]+)/g);
  return [...new Set([...names].map(([, name = ""]) => name))].sort();
}

// A package that the service can run without belongs behind `import()`: each costs memory and time in every process.
it("loads no package that a service without a configuration does not need", { timeout: 60_000 }, async () => {
  const folder = await start();
  expect({ main: packagesIn(join(folder, "main")), thread: packagesIn(join(folder, "thread")) }).toEqual({
    main: [
      "@bufbuild/protobuf",
      "@cfworker/json-schema",
      "@connectrpc/connect",
      "@connectrpc/connect-node",
      "@grpc/grpc-js",
      "@js-sdsl/ordered-map",
      "@pinojs/redact",
      "atomic-sleep",
      "on-exit-leak-free",
      "pino",
      "pino-std-serializers",
      "quick-format-unescaped",
      "safe-stable-stringify",
      "sonic-boom",
      "thread-stream",
      "zod",
    ],
    thread: ["@bufbuild/protobuf", "kysely"],
  });
  const modules = readFileSync(join(folder, "main"), "utf8");
  expect(modules).not.toMatch(/src\/(database\/migrations|state|telemetry\/otel|cli\/(chat|keys|remote))\//);
  expect(modules).not.toMatch(/src\/(providers\/[a-z-]+\/adapter|surfaces\/(?!kit\/))/);
});

it("loads only the adapters of the providers that are on", { timeout: 60_000 }, async () => {
  const modules = readFileSync(join(await start({ COHERE_API_KEY: "test" }), "main"), "utf8");
  expect([...modules.matchAll(/src\/(providers\/[a-z-/]+\/adapter)/g)].map(([, path]) => path)).toEqual([
    "providers/cohere/adapter",
  ]);
  expect(modules).not.toContain("/node_modules/undici/index.js");
});

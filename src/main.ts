import { readFileSync } from "node:fs";
import { composeService } from "./compose.ts";
import { hashKey, parseCommandLine, UsageError, usage } from "./config/command-line.ts";
import type { Config } from "./config/config.ts";
import { ConfigError } from "./config/config-error.ts";
import { describeConfig } from "./config/describe.ts";
import { loadConfig } from "./config/load.ts";
import { dialects, listedModels, providers } from "./providers/registry.ts";
import { boundHeap } from "./server/heap.ts";
import { startLines } from "./server/start-lines.ts";
import { onStopSignal } from "./server/stop-signals.ts";
import { createLog, openLogOutput } from "./telemetry/log.ts";
import { OutputBuffer } from "./telemetry/output-buffer.ts";
import { openStandardStream } from "./telemetry/standard-stream.ts";

const maxStderrBytes = 2 ** 20;

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof ConfigError)) throw error;
  process.stderr.write(`dragoman: ${error.message}\n`);
  process.exitCode = error instanceof UsageError ? error.exitCode : 1;
}

async function main(): Promise<void> {
  const { action, file } = parseCommandLine(process.argv.slice(2));
  const print = (text: string): unknown => process.stdout.write(text);
  switch (action) {
    case "help":
      print(usage);
      return;
    case "version":
      print(`${readVersion()}\n`);
      return;
    case "hash-key":
      print(`${await hashKey(process.stdin)}\n`);
      return;
    case "check":
      print(describeConfig(load(file)));
      return;
    case "serve":
      await serve(load(file));
      return;
    default:
      action satisfies never;
  }
}

function load(file: string | undefined): Config {
  return loadConfig({ environment: process.env, file, providers, dialects, models: listedModels(process.env) });
}

function readVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return manifest.version;
}

async function serve(config: Config): Promise<void> {
  boundHeap();
  // Standard error is for people; the log on standard output is for programs.
  const stderr = new OutputBuffer(openStandardStream(2), { maxBytes: maxStderrBytes });
  const stdout = openLogOutput(config.log.maxBufferBytes, (problem) => stderr.write(`dragoman: ${problem}\n`));
  process.on("exit", () => {
    stdout.flushSync();
    stderr.flushSync();
  });
  const log = createLog(config.log.level, stdout);
  const service = await composeService(config, log);
  stderr.write(startLines(service, config).join("\n"));
  // `abort` lets every call in progress write its record, and the log writes its buffer when the process exits.
  process.on("uncaughtException", (error) => {
    service.abort();
    log.error({ err: error }, "exiting after an uncaught error");
    process.exit(1);
  });
  let stopping = false;
  onStopSignal(process.env.npm_command, (signal) => {
    if (stopping) {
      service.abort();
      process.exit(1);
    }
    stopping = true;
    log.info({ signal }, "shutting down; a second signal exits at once");
    service.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, "shutdown failed");
        process.exit(1);
      },
    );
  });
}

import { composeService } from "../compose.ts";
import type { Environment } from "../config/environment.ts";
import { FilesRead, Reloader } from "../reload/reloader.ts";
import { boundHeap } from "../server/heap.ts";
import { onSignals } from "../server/process-signals.ts";
import { startLines } from "../server/start-lines.ts";
import { createLog, openLogOutput } from "../telemetry/log.ts";
import { OutputBuffer } from "../telemetry/output-buffer.ts";
import { openStandardStream } from "../telemetry/standard-stream.ts";
import { configOption, defineCommand } from "./command.ts";
import { loadConfigFor } from "./load-config.ts";
import { notesOn } from "./variable-notes.ts";

const maxStderrBytes = 2 ** 20;

export const command = defineCommand({
  description: "Starts the service. Without a file, environment variables select the providers.",
  options: { config: configOption },
  examples: [
    ["Start with the variables, such as OPENAI_API_KEY", "serve"],
    ["Start with a file", "serve --config dragoman.yaml"],
  ],
  run: async ({ config: file }, _, { environment }) => serve(file, environment),
});

async function serve(file: string | undefined, environment: Environment): Promise<void> {
  const files = new FilesRead();
  const config = await loadConfigFor(file, environment, files.onRead);
  boundHeap();
  // Standard error is for people; the log on standard output is for programs.
  const stderr = new OutputBuffer(openStandardStream(2), { maxBytes: maxStderrBytes });
  const stdout = openLogOutput(config.log.maxBufferBytes, (problem) => stderr.write(`dragoman: ${problem}\n`));
  process.on("exit", () => {
    stdout.flushSync();
    stderr.flushSync();
  });
  const log = createLog(config.log.level, stdout);
  const service = await composeService(config, log, { logLinesDropped: () => stdout.droppedTotal });
  const reloader = new Reloader({
    load: (onRead) => loadConfigFor(file, environment, onRead),
    apply(next) {
      const reloaded = service.reload(next);
      stdout.maxBytes = next.log.maxBufferBytes;
      return reloaded;
    },
    log,
    files,
  });
  reloader.start();
  stderr.write(startLines(service, config).join("\n"));
  for (const note of notesOn(environment)) stderr.write(note);
  // `abort` lets every call in progress write its record, and the log writes its buffer when the process exits.
  process.on("uncaughtException", (error) => {
    service.abort();
    log.error({ err: error }, "exiting after an uncaught error");
    process.exit(1);
  });
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) {
      service.abort();
      process.exit(1);
    }
    stopping = true;
    reloader.close();
    log.info({ signal }, "shutting down; a second signal exits at once");
    service.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, "shutdown failed");
        process.exit(1);
      },
    );
  };
  // npm sends its own signals to the program.
  onSignals(environment.npm_command, { stop, reload: () => void reloader.reload("signal") });
}

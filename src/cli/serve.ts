import { composeService } from "../compose.ts";
import type { Config } from "../config/config.ts";
import type { Environment } from "../config/environment.ts";
import { boundHeap } from "../server/heap.ts";
import { startLines } from "../server/start-lines.ts";
import { onStopSignal } from "../server/stop-signals.ts";
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
  run: async ({ config: file }, _, { environment }) => serve(await loadConfigFor(file, environment), environment),
});

async function serve(config: Config, environment: Environment): Promise<void> {
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
  stderr.write(startLines(service, config).join("\n"));
  for (const note of notesOn(environment)) stderr.write(note);
  // `abort` lets every call in progress write its record, and the log writes its buffer when the process exits.
  process.on("uncaughtException", (error) => {
    service.abort();
    log.error({ err: error }, "exiting after an uncaught error");
    process.exit(1);
  });
  let stopping = false;
  // npm sends its own signals to the program.
  onStopSignal(environment.npm_command, (signal) => {
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

import type { Config } from "../../config/config.ts";
import type { Environment } from "../../config/environment.ts";
import { onStopSignal } from "../../server/stop-signals.ts";
import { Supervisor } from "../../workers/supervisor.ts";
import { notesOn } from "../variable-notes.ts";
import { openOutput } from "./output.ts";

/** Starts the workers of the service, and keeps them running until a signal stops the process. */
export async function supervise(config: Config, environment: Environment): Promise<void> {
  const { stderr, stdout, log } = openOutput(config);
  const supervisor = new Supervisor({
    workers: config.workers,
    stopMs: config.shutdown.delayMs + config.shutdown.graceMs,
    log,
    writeLog: (line) => stdout.write(line),
    writeError: (line) => stderr.write(line),
  });
  // Without the supervisor, the workers end their calls and then themselves.
  process.on("uncaughtException", (error) => {
    log.error({ err: error }, "exiting after an uncaught error");
    process.exit(1);
  });
  let stopping = false;
  onStopSignal(environment.npm_command, (signal) => {
    if (stopping) {
      void supervisor.abort().then(() => process.exit(1));
      return;
    }
    stopping = true;
    log.info({ signal }, "shutting down; a second signal exits at once");
    void supervisor.stop(signal).then((isClean) => process.exit(isClean ? 0 : 1));
  });
  process.on("SIGUSR2", () => {
    if (!stopping) void supervisor.restart();
  });
  const lines = await supervisor.start();
  if (stopping) return;
  // The worker has said why it did not start.
  if (lines === undefined) process.exit(1);
  stderr.write(lines.join("\n"));
  for (const note of notesOn(environment)) stderr.write(note);
}

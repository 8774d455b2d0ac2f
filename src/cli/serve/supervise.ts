import { changesBetween, restartKeys } from "../../config/changes.ts";
import { withFixed } from "../../config/reload-rules.ts";
import { Reloader } from "../../reload/reloader.ts";
import { onSignals } from "../../server/process-signals.ts";
import { Supervisor } from "../../workers/supervisor.ts";
import { notesOn } from "../variable-notes.ts";
import type { ConfigSource } from "./config-source.ts";
import { type EndReason, logStopped, logStopping } from "./life-lines.ts";
import { openOutput } from "./output.ts";

/** Starts the workers of the service, and keeps them running until a signal stops the process. */
export async function supervise({ config, files, environment, load }: ConfigSource): Promise<void> {
  const { stderr, stdout, log } = openOutput(config);
  let running = config;
  let generation = 1;
  const supervisor = new Supervisor({
    workers: config.workers,
    stopMs: () => running.shutdown.delayMs + running.shutdown.graceMs,
    log,
    writeLog: (line) => stdout.write(line),
    writeError: (line) => stderr.write(line),
  });
  const exit = (code: number, reason: EndReason): never => {
    logStopped(log, reason);
    process.exit(code);
  };
  // Without the supervisor, the workers end their calls and then themselves.
  process.on("uncaughtException", (error) => {
    log.error({ err: error }, "exiting after an uncaught error");
    exit(1, "uncaught error");
  });
  const reloader = new Reloader({
    load,
    apply(written) {
      const next = withFixed(written, running);
      const [changes, needRestart] = [changesBetween(running, next), restartKeys(running, written)];
      if (changes.keys.length > 0) {
        generation++;
        running = next;
        log.level = next.log.level;
        stdout.maxBytes = next.log.maxBufferBytes;
        supervisor.reload();
      }
      return { generation, changes, needRestart };
    },
    log,
    files,
  });
  let stopping = false;
  onSignals(environment.npm_command, {
    stop(signal) {
      if (stopping) {
        void supervisor.abort().then(() => exit(1, "second signal"));
        return;
      }
      stopping = true;
      reloader.close();
      logStopping(log, signal);
      void supervisor.stop().then((isClean) => exit(isClean ? 0 : 1, signal));
    },
    reload: () => void reloader.reload("signal"),
  });
  process.on("SIGUSR2", () => {
    if (!stopping) void supervisor.restart();
  });
  const lines = await supervisor.start();
  if (stopping) return;
  // The worker has written why it did not start.
  if (lines === undefined) process.exit(1);
  reloader.start();
  stderr.write(lines.join("\n"));
  for (const note of notesOn(environment)) stderr.write(note);
}

import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "../../config/config-error.ts";
import type { Environment } from "../../config/environment.ts";
import { FilesRead, Reloader } from "../../reload/reloader.ts";
import { onSignals } from "../../server/process-signals.ts";
import { fromSent } from "../../thread/messages.ts";
import { Supervisor } from "../../workers/supervisor.ts";
import { type EndReason, logStopped, logStopping } from "./life-lines.ts";
import { openOutput } from "./output.ts";

/** Settings of the log until a worker has told those of the configuration. */
const firstLog = { level: "info", maxBufferBytes: 2 ** 20 } as const;

/**
 * Starts the workers of the service, and keeps them running until a signal stops the process. Loads neither the
 * configuration nor anything that serves calls: only the workers need that.
 */
export async function supervise(workers: number, environment: Environment): Promise<void> {
  const { stderr, stdout, log } = openOutput({ log: firstLog });
  let generation = 1;
  const supervisor = new Supervisor({
    workers,
    modelsPath: join(tmpdir(), `dragoman-${randomUUID()}`, "models"),
    log,
    setLog({ level, maxBufferBytes }) {
      log.level = level;
      stdout.maxBytes = maxBufferBytes;
    },
    writeLog: (lines) => stdout.writeLines(lines),
    writeError: (lines) => stderr.write(lines),
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
  const files = new FilesRead();
  const reloader = new Reloader({
    async load(read) {
      const reply = await supervisor.reload();
      for (const [path, state] of reply.files) read.states.set(path, state);
      if ("problems" in reply) throw new ConfigError(reply.problems);
      if ("error" in reply) throw fromSent(reply.error);
      return reply.reloaded;
    },
    apply(reloaded) {
      if (reloaded.changes.keys.length > 0) generation++;
      return { generation, ...reloaded };
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
  const started = await supervisor.start();
  if (stopping) return;
  // The worker has written why it did not start.
  if (started === undefined) process.exit(1);
  for (const [path, state] of started.files) files.states.set(path, state);
  reloader.start();
  stderr.write(started.lines.join("\n"));
}

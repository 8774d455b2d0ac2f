import { type ComposedService, composeService } from "../../compose.ts";
import type { Config } from "../../config/config.ts";
import { Reloader } from "../../reload/reloader.ts";
import { boundHeap } from "../../server/heap.ts";
import { onSignals } from "../../server/process-signals.ts";
import { startLines } from "../../server/start-lines.ts";
import type { WorkerLink } from "../../workers/worker.ts";
import { notesOn } from "../variable-notes.ts";
import type { ConfigSource } from "./config-source.ts";
import { openOutput, type ProgramOutput } from "./output.ts";

/** Serves calls until a signal stops the process. */
export async function serve({ config, files, environment, load }: ConfigSource): Promise<void> {
  const output = openOutput(config);
  const { stderr, log } = output;
  const { service, stop, abort } = await startService(config, output);
  const reloader = new Reloader({
    load: (read) => load(read.onRead),
    apply: (next) => apply(next, service, output),
    log,
    files,
  });
  reloader.start();
  stderr.write(startLines(service, config).join("\n"));
  for (const note of notesOn(environment)) stderr.write(note);
  let stopping = false;
  // npm sends its own signals to the program.
  onSignals(environment.npm_command, {
    stop(signal) {
      if (stopping) abort();
      stopping = true;
      reloader.close();
      log.info({ signal }, "shutting down; a second signal exits at once");
      stop(false);
    },
    reload: () => void reloader.reload("signal"),
  });
}

interface Started {
  readonly service: ComposedService;
  /** Stops the service, and then exits. A second call has no effect. */
  stop(isHandover: boolean): void;
  /** Exits at once, with the records of calls in progress. */
  abort(): void;
}

/** Starts the service in this process, which exits when the service ends or has a fault. */
export async function startService(
  config: Config,
  { log, stdout }: ProgramOutput,
  link?: WorkerLink,
): Promise<Started> {
  boundHeap();
  const logLinesDropped = () => stdout.droppedTotal;
  const service = await composeService(config, log, { logLinesDropped, ...(link && { supervisor: link }) });
  // `abort` lets every call in progress write its record, and the log writes its buffer when the process exits.
  process.on("uncaughtException", (error) => {
    service.abort();
    log.error({ err: error }, "exiting after an uncaught error");
    process.exit(1);
  });
  let stopping = false;
  return {
    service,
    stop(isHandover) {
      if (stopping) return;
      stopping = true;
      service
        .stop(isHandover)
        .then(() => link?.end())
        .then(
          () => process.exit(0),
          (error: unknown) => {
            log.error({ err: error }, "shutdown failed");
            process.exit(1);
          },
        );
    },
    abort() {
      service.abort();
      process.exit(1);
    },
  };
}

/** Applies a configuration to the running service. Throws ConfigError, and changes nothing, if it cannot. */
export function apply(
  next: Config,
  service: ComposedService,
  { stdout }: ProgramOutput,
): ReturnType<ComposedService["reload"]> {
  const reloaded = service.reload(next);
  stdout.maxBytes = next.log.maxBufferBytes;
  return reloaded;
}

import { type ComposedService, composeService } from "../../compose.ts";
import type { Config } from "../../config/config.ts";
import { shrinkHeap } from "../../load/garbage-collector.ts";
import { Reloader } from "../../reload/reloader.ts";
import { boundHeap } from "../../server/heap.ts";
import { onSignals } from "../../server/process-signals.ts";
import { startLines } from "../../server/start-lines.ts";
import type { WorkerLink } from "../../workers/worker.ts";
import { notesOn } from "../variable-notes.ts";
import type { ConfigSource } from "./config-source.ts";
import { type EndReason, logListening, logStopped, logStopping } from "./life-lines.ts";
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
      stop(signal, false);
    },
    reload: () => void reloader.reload("signal"),
  });
}

interface Started {
  readonly service: ComposedService;
  /**
   * Stops the service, and then exits. A second call has no effect.
   *
   * @param isHandover whether other processes take over
   */
  stop(reason: EndReason, isHandover: boolean): void;
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
  if (service.calls().begun === 0) shrinkHeap();
  logListening(log, service, config);
  const exit = (code: number, reason: EndReason): never => {
    logStopped(log, reason, service.calls().begun);
    process.exit(code);
  };
  // `abort` lets every call in progress write its record, and the log writes its buffer when the process exits.
  process.on("uncaughtException", (error) => {
    service.abort();
    log.error({ err: error }, "exiting after an uncaught error");
    exit(1, "uncaught error");
  });
  let stopping = false;
  return {
    service,
    stop(reason, isHandover) {
      if (stopping) return;
      stopping = true;
      logStopping(log, reason, service.calls().inProgress);
      service
        .stop(isHandover)
        .then(() => link?.end())
        .then(
          () => exit(0, reason),
          (error: unknown) => {
            log.error({ err: error }, "shutdown failed");
            exit(1, "shutdown failed");
          },
        );
    },
    abort() {
      service.abort();
      exit(1, "second signal");
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

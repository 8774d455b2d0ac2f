import { composeService } from "../../compose.ts";
import type { Config } from "../../config/config.ts";
import type { Environment } from "../../config/environment.ts";
import { boundHeap } from "../../server/heap.ts";
import { startLines } from "../../server/start-lines.ts";
import { onStopSignal } from "../../server/stop-signals.ts";
import { shareOfWorker } from "../../workers/share-of-worker.ts";
import type { WorkerLink } from "../../workers/worker.ts";
import { notesOn } from "../variable-notes.ts";
import { openOutput } from "./output.ts";

/**
 * Serves calls until a signal or the supervisor stops the process.
 *
 * @param link to the supervisor. Undefined: there is none
 */
export async function serve(written: Config, environment: Environment, link: WorkerLink | undefined): Promise<void> {
  boundHeap();
  const config = link === undefined ? written : shareOfWorker(written, link.workers);
  const { stderr, log } = openOutput(config, link?.worker);
  const service = await composeService(config, log);
  const lines = startLines(service, config);
  // `abort` lets every call in progress write its record, and the log writes its buffer when the process exits.
  process.on("uncaughtException", (error) => {
    service.abort();
    log.error({ err: error }, "exiting after an uncaught error");
    process.exit(1);
  });
  let stopping = false;
  const abort = (): void => {
    service.abort();
    process.exit(1);
  };
  const stop = (signal: string, isHandover: boolean): void => {
    if (stopping) return;
    stopping = true;
    if (link === undefined) log.info({ signal }, "shutting down; a second signal exits at once");
    service.stop(isHandover).then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, "shutdown failed");
        process.exit(1);
      },
    );
  };
  if (link !== undefined) {
    link.ready({ stop, abort, adopt: () => service.adoptOutbox() }, lines);
    return;
  }
  stderr.write(lines.join("\n"));
  for (const note of notesOn(environment)) stderr.write(note);
  // npm sends its own signals to the program.
  onStopSignal(environment.npm_command, (signal) => {
    if (stopping) abort();
    stop(signal, false);
  });
}

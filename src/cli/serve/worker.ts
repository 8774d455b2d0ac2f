import { startLines } from "../../server/start-lines.ts";
import { shareOfWorker } from "../../workers/share-of-worker.ts";
import type { WorkerLink } from "../../workers/worker.ts";
import { notesOn } from "../variable-notes.ts";
import type { ConfigSource } from "./config-source.ts";
import { openOutput } from "./output.ts";
import { replyTo, settingsOf } from "./reload-reply.ts";
import { apply, startService } from "./serve.ts";

/** Serves calls until the supervisor stops the process. The supervisor writes to the log what concerns all workers. */
export async function serveAsWorker({ config: whole, files, environment, load }: ConfigSource, link: WorkerLink) {
  const config = { ...shareOfWorker(whole, link.workers), workers: link.workers };
  const output = openOutput(config, link.worker);
  const { service, stop, abort } = await startService(config, output, link);
  link.ready(
    {
      stop,
      abort,
      adopt: () => service.adoptOutbox(),
      reload: () => replyTo(load, (next) => apply(shareOfWorker(next, link.workers), service, output)),
    },
    {
      lines: [...startLines(service, config), ...notesOn(environment)],
      settings: settingsOf(config),
      files: [...files.states],
    },
  );
}

import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { Adapters, loadAdapters, onlyInProcess } from "../../adapters.ts";
import { createProcessMetrics } from "../../telemetry/metrics/process-metrics.ts";
import { takeSnapshot } from "../../telemetry/metrics/snapshot.ts";
import { ModelHost } from "../../workers/models/model-host.ts";
import type { WorkerLink } from "../../workers/worker.ts";
import type { ConfigSource } from "./config-source.ts";
import { openOutput } from "./output.ts";
import { replyTo, settingsOf } from "./reload-reply.ts";

/** Has the models of `local` for all workers, until the supervisor stops the process. */
export async function serveModels({ config, files, load }: ConfigSource, link: WorkerLink): Promise<void> {
  openOutput(config, link.worker);
  const own = onlyInProcess(config);
  await loadAdapters(own);
  const adapters = new Adapters(own);
  const host = new ModelHost(adapters.all);
  const processMetrics = createProcessMetrics();
  link.metrics.read = () => takeSnapshot(processMetrics);
  await host.listen(link.modelsPath);
  const exit = (): void => {
    // The supervisor is gone, which removes the folder otherwise.
    if (!process.connected) rmSync(dirname(link.modelsPath), { recursive: true, force: true });
    process.exit(0);
  };
  link.ready(
    {
      stop(reason) {
        // Workers that stop can still need the models. The supervisor ends this process after them.
        if (reason !== "SIGTERM") void host.idle().then(exit);
      },
      abort: exit,
      adopt() {},
      reload: () =>
        replyTo(load, (next) => {
          const prepared = adapters.prepare(onlyInProcess(next));
          host.setAdapters(prepared.adapters);
          prepared.commit();
          return { changes: { keys: [], names: {} }, needRestart: [] };
        }),
    },
    { lines: [], settings: settingsOf(config), files: [...files.states] },
  );
}

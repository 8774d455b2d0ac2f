import { ConfigError } from "../config/config-error.ts";
import type { Environment } from "../config/environment.ts";
import { peekWorkers } from "../config/workers-number.ts";
import { FilesRead } from "../reload/reloader.ts";
import { linkToSupervisor, type WorkerLink } from "../workers/worker.ts";
import { modelsWorker, workerVariable } from "../workers/worker-variable.ts";
import { configOption, defineCommand } from "./command.ts";
import { loadConfigFor, loadNextConfig } from "./load-config.ts";
import type { ConfigSource } from "./serve/config-source.ts";

export const command = defineCommand({
  description: "Starts the service. Without a file, environment variables select the providers.",
  options: { config: configOption },
  examples: [
    ["Start with the variables, such as OPENAI_API_KEY", "serve"],
    ["Start with a file", "serve --config dragoman.yaml"],
  ],
  async run({ config: file }, _, { environment }) {
    const link = linkToSupervisor(environment[workerVariable]);
    try {
      await start(file, environment, link);
    } catch (error) {
      link?.release();
      throw error;
    }
  },
});

async function start(file: string | undefined, environment: Environment, link: WorkerLink | undefined): Promise<void> {
  const workers = link ? 1 : peekWorkers(file, environment);
  if (workers > 1) {
    const { supervise } = await import("./serve/supervise.ts");
    await supervise(workers, environment);
    return;
  }
  const files = new FilesRead();
  const config = await loadConfigFor(file, environment, { onRead: files.onRead });
  const isForModels = link?.worker === modelsWorker;
  // The process for local models sends nothing to providers.
  const loadNext = isForModels ? loadConfigFor : loadNextConfig;
  const load: ConfigSource["load"] = (onRead) => loadNext(file, environment, { onRead });
  const source = { config, files, environment, load };
  if (isForModels) {
    const { serveModels } = await import("./serve/models.ts");
    await serveModels(source, link);
    return;
  }
  if (link !== undefined) {
    const { serveAsWorker } = await import("./serve/worker.ts");
    await serveAsWorker(source, link);
    return;
  }
  if (config.workers > 1) {
    const problem = "is more than 1, and each worker must read the configuration, which can be read only once";
    throw new ConfigError([{ path: "workers", problem, fix: "start Dragoman with a regular file" }]);
  }
  const { serve } = await import("./serve/serve.ts");
  await serve(source);
}

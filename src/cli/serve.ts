import type { Environment } from "../config/environment.ts";
import { FilesRead } from "../reload/reloader.ts";
import { linkToSupervisor, type WorkerLink } from "../workers/worker.ts";
import { workerVariable } from "../workers/worker-variable.ts";
import { configOption, defineCommand } from "./command.ts";
import { loadConfigFor } from "./load-config.ts";
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
  const files = new FilesRead();
  const config = await loadConfigFor(file, environment, { onRead: files.onRead });
  const load: ConfigSource["load"] = (onRead) => loadConfigFor(file, environment, { onRead });
  const source = { config, files, environment, load };
  if (link !== undefined) {
    const { serveAsWorker } = await import("./serve/serve.ts");
    await serveAsWorker(source, link);
  } else if (config.workers > 1) {
    const { supervise } = await import("./serve/supervise.ts");
    await supervise(source);
  } else {
    const { serve } = await import("./serve/serve.ts");
    await serve(source);
  }
}

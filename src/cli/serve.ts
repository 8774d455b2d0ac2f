import { linkToSupervisor } from "../workers/worker.ts";
import { workerVariable } from "../workers/worker-variable.ts";
import { configOption, defineCommand } from "./command.ts";
import { loadConfigFor } from "./load-config.ts";

export const command = defineCommand({
  description: "Starts the service. Without a file, environment variables select the providers.",
  options: { config: configOption },
  examples: [
    ["Start with the variables, such as OPENAI_API_KEY", "serve"],
    ["Start with a file", "serve --config dragoman.yaml"],
  ],
  async run({ config: file }, _, { environment }) {
    const link = linkToSupervisor(environment[workerVariable]);
    const config = await loadConfigFor(file, environment);
    if (link !== undefined || config.workers === 1) {
      const { serve } = await import("./serve/serve.ts");
      await serve(config, environment, link);
    } else {
      const { supervise } = await import("./serve/supervise.ts");
      await supervise(config, environment);
    }
  },
});

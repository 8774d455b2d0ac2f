import { describeConfig } from "../config/describe.ts";
import { configOption, defineCommand } from "./command.ts";
import { loadConfigFor, notesOn } from "./load-config.ts";

export const command = defineCommand({
  description: "Checks the configuration as the service does at its start, and prints it without secrets.",
  options: { config: configOption },
  run({ config: file }, _, { environment, stdout, stderr }) {
    stdout.write(describeConfig(loadConfigFor(file, environment)));
    for (const note of notesOn(environment)) stderr.write(note);
  },
});

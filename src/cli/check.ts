import { describeConfig } from "../config/describe.ts";
import { configOption, defineCommand } from "./command.ts";
import { loadConfigFor } from "./load-config.ts";
import { notesOn } from "./variable-notes.ts";

export const command = defineCommand({
  description: "Checks the configuration as the service does at its start, and prints it without secrets.",
  options: { config: configOption },
  examples: [
    ["Check the variables, without a file", "check"],
    ["Check a file, for instance before a reload", "check --config dragoman.yaml"],
  ],
  async run({ config: file }, _, { environment, stdout, stderr }) {
    stdout.write(describeConfig(await loadConfigFor(file, environment)));
    for (const note of notesOn(environment)) stderr.write(note);
  },
});

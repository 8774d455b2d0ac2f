import type { WrittenConfig } from "../config/config-file.ts";
import { describeConfig } from "../config/describe.ts";
import { removed as removedText } from "../config/described.ts";
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
    let source: WrittenConfig | undefined;
    const config = await loadConfigFor(file, environment, { onWritten: (written) => (source = written) });
    const removed: string[] = [];
    stdout.write(describeConfig(config, source, (path) => removed.push(path)));
    for (const path of removed) stderr.write(`dragoman: ${path} is a secret, printed as ${removedText}\n`);
    for (const note of notesOn(environment)) stderr.write(note);
  },
});

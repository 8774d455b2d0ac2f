import { longestFormerMs, rotateKey, usualFormerMs } from "../../accounts/manage-keys.ts";
import { parseAge } from "../../config/quantities.ts";
import { withAccountStore } from "../account-database.ts";
import { configOption, defineCommand } from "../command.ts";
import { UsageError } from "../failures.ts";
import { loadConfigFor } from "../load-config.ts";

export const command = defineCommand({
  description: `Gives an API key of the database a new secret, and prints the new key, which is printed only now.
The former one is accepted for some time, so that callers can change over.`,
  options: {
    "old-for": {
      type: "string",
      value: "<duration>",
      help: "how long the former secret is accepted, such as 7d or 12h, at most\n365d; 0: not at all; default: 24h",
    },
    config: configOption,
  },
  operands: { id: "the id of the key, which `dragoman keys list` shows" },
  insteadOfArgument: "write one id",
  async run({ "old-for": oldFor, config: file }, { id }, { environment, stdout, stderr }) {
    const formerMs = oldFor === undefined ? usualFormerMs : parseAge(oldFor);
    if (formerMs === undefined || formerMs > longestFormerMs) {
      throw new UsageError("--old-for is not a duration; write 7d, 12h or 30m, at most 365d, or 0");
    }
    const { text } = await withAccountStore(await loadConfigFor(file, environment), (store) =>
      rotateKey(store, id, formerMs),
    );
    stdout.write(`${text}\n`);
    const end = formerMs === 0 ? "now" : `at ${new Date(Date.now() + formerMs).toISOString()}`;
    stderr.write(`dragoman: rotated the key ${id}; its former secret ends ${end}\n`);
  },
});

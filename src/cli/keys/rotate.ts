import { longestFormerMs, usualFormerMs } from "../../accounts/manage-keys.ts";
import { parseAge } from "../../config/quantities.ts";
import { configOption, defineCommand } from "../command.ts";
import { UsageError } from "../failures.ts";
import { connectionOptions } from "../remote/connection-options.ts";
import { withKeys } from "./key-store.ts";

export const command = defineCommand({
  description: `Gives an API key of the database a new secret, and prints the new key, which is printed only now.
The former one is accepted for some time, so that callers can change over. With --address, the
running service there does it.`,
  options: {
    "old-for": {
      type: "string",
      value: "<duration>",
      help: "how long the former secret is accepted, such as 7d or 12h, at most\n365d; 0: not at all; default: 24h",
    },
    config: configOption,
    ...connectionOptions,
  },
  operands: { id: "the id of the key, which `dragoman keys list` shows" },
  insteadOfArgument: "write one id",
  examples: [
    ["Rotate a key, and accept the former secret for a week", "keys rotate 0123abcd --old-for 7d"],
    [
      "Replace a secret that leaked, at a running service",
      "keys rotate 0123abcd --old-for 0 --address 127.0.0.1:50051",
    ],
  ],
  async run(values, { id }, shell) {
    const { "old-for": oldFor } = values;
    const formerMs = oldFor === undefined ? usualFormerMs : parseAge(oldFor);
    if (formerMs === undefined || formerMs > longestFormerMs) {
      throw new UsageError("--old-for is not a duration; write 7d, 12h or 30m, at most 365d, or 0");
    }
    const { text } = await withKeys(values, shell, (keys) => keys.rotate(id, formerMs));
    shell.stdout.write(`${text}\n`);
    const end = formerMs === 0 ? "now" : `at ${new Date(Date.now() + formerMs).toISOString()}`;
    shell.stderr.write(`dragoman: rotated the key ${id}; its former secret ends ${end}\n`);
  },
});

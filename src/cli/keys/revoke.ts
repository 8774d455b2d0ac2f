import { configOption, defineCommand } from "../command.ts";
import { connectionOptions } from "../remote/connection-options.ts";
import { withKeys } from "./key-store.ts";

export const command = defineCommand({
  description: `Revokes an API key of the database. Every service with this database rejects new calls with it
within two seconds; calls in progress go on. With --address, the running service there does it.`,
  options: { config: configOption, ...connectionOptions },
  operands: { id: "the id of the key, which `dragoman keys list` shows" },
  insteadOfArgument: "write one id",
  examples: [
    ["Revoke a key in the database of a file", "keys revoke 0123abcd --config dragoman.yaml"],
    ["Revoke a key at a running service", "keys revoke 0123abcd --address 127.0.0.1:50051"],
  ],
  async run(values, { id }, shell) {
    await withKeys(values, shell, (keys) => keys.revoke(id));
    shell.stderr.write(`dragoman: revoked the key ${id}\n`);
  },
});

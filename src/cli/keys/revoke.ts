import { revokeKey } from "../../accounts/manage-keys.ts";
import { withAccountStore } from "../account-database.ts";
import { configOption, defineCommand } from "../command.ts";
import { loadConfigFor } from "../load-config.ts";

export const command = defineCommand({
  description: `Revokes an API key of the database. Every service with this database rejects new calls with it
within two seconds; calls in progress go on.`,
  options: { config: configOption },
  operands: { id: "the id of the key, which `dragoman keys list` shows" },
  insteadOfArgument: "write one id",
  async run({ config: file }, { id }, { environment, stderr }) {
    await withAccountStore(await loadConfigFor(file, environment), (store) => revokeKey(store, id));
    stderr.write(`dragoman: revoked the key ${id}\n`);
  },
});

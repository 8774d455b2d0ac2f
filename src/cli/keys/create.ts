import { createKey } from "../../accounts/manage-keys.ts";
import type { Role } from "../../config/account.ts";
import { withAccountStore } from "../account-database.ts";
import { configOption, defineCommand } from "../command.ts";
import { UsageError } from "../failures.ts";
import { loadConfigFor } from "../load-config.ts";
import { parseExpiry, parseList, parseName } from "./values.ts";

/** Maximum accounts and patterns of a key, as KeyService has them. */
const mostAccounts = 1024;
const mostPatterns = 256;

const roles: readonly Role[] = ["caller", "viewer", "admin"];

export const command = defineCommand({
  description: `Creates an API key in the database of the configuration (store.database), and prints it. It is
printed only now: the database has only its SHA-256. The service need not run; if it does, it
accepts the key at once.`,
  options: {
    role: {
      type: "string",
      value: "<role>",
      help: "caller (call models), viewer (also see the state of the\nservice) or admin (also change it); default: caller",
    },
    account: { type: "string", value: "<ids>", help: "accounts that the key may use, with commas; default: any" },
    models: {
      type: "string",
      value: "<patterns>",
      help: 'models that the key may request, such as "gpt-*,claude-*";\ndefault: all',
    },
    expires: { type: "string", value: "<when>", help: "90d, 12h or a time such as 2030-12-31; default: never" },
    name: { type: "string", value: "<text>", help: "name for people" },
    config: configOption,
  },
  async run(values, _, { environment, stdout, stderr }) {
    const role = roles.find((name) => name === (values.role ?? "caller"));
    if (role === undefined) throw new UsageError(`--role is not a role; write one of ${roles.join(", ")}`);
    const settings = {
      role,
      displayName: parseName("name", values.name ?? ""),
      accounts: parseList("account", values.account, mostAccounts),
      defaultAccount: undefined,
      models: parseList("models", values.models, mostPatterns),
      expiresMs: parseExpiry(values.expires),
    };
    const config = await loadConfigFor(values.config, environment);
    const { key, text } = await withAccountStore(config, (store) => createKey(store, settings));
    stdout.write(`${text}\n`);
    stderr.write(`dragoman: created the key ${key.id} with the role ${role}; nobody can read it again\n`);
    const { mode } = config.authentication;
    if (mode !== "keys") {
      stderr.write(`dragoman: authentication.mode is ${mode}: set it to keys, so that callers need a key\n`);
    }
  },
});

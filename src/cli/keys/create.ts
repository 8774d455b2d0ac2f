import type { Role } from "../../config/account.ts";
import { configOption, defineCommand } from "../command.ts";
import { UsageError } from "../failures.ts";
import { connectionOptions } from "../remote/connection-options.ts";
import { withKeys } from "./key-store.ts";
import { parseExpiry, parseList, parseName } from "./values.ts";

/** Maximum accounts and patterns of a key, as KeyService has them. */
const mostAccounts = 1024;
const mostPatterns = 256;

const roles: readonly Role[] = ["caller", "viewer", "admin"];

export const command = defineCommand({
  description: `Creates an API key in the database of the configuration (store.database), and prints it. It is
printed only now: the database has only its SHA-256. The service need not run; if it does, it
accepts the key at once. With --address, the running service there creates the key.`,
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
    ...connectionOptions,
  },
  examples: [
    ["Create the first key of an operator", "keys create --role admin --name operator"],
    ["Create a key for a team, at a running service", "keys create --account team-a --address 127.0.0.1:50051"],
  ],
  async run(values, _, shell) {
    const { stdout, stderr } = shell;
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
    const { id, text, isOpen, mode } = await withKeys(values, shell, async (keys) => ({
      ...(await keys.create(settings)),
      isOpen: keys.isOpen,
      mode: keys.mode,
    }));
    stdout.write(`${text}\n`);
    stderr.write(`dragoman: created the key ${id} with the role ${role}; nobody can read it again\n`);
    if (isOpen) stderr.write(`dragoman: authentication.mode is ${mode}: set it to keys, so that callers need a key\n`);
  },
});

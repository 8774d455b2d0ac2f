import { nearest } from "../nearest.ts";
import { configOption, helpOption, optionRows, parse, rows } from "./command.ts";
import { type CommandRow, commands } from "./commands.ts";
import { UsageError } from "./failures.ts";
import type { Shell } from "./shell.ts";

/** Options of a command line without a command. Each of `actions` has precedence over the ones that follow it. */
const options = {
  config: configOption,
  check: { type: "boolean", help: "the same as the command check" },
  "hash-key": { type: "boolean", help: "the same as the command hash-key" },
  version: { type: "boolean", help: "print the version and exit" },
  help: helpOption,
} as const;
const actions = ["help", "version", "check", "hash-key"] as const;

/** Command line without a command. */
interface Flags {
  readonly action: "serve" | (typeof actions)[number];
  /** From `--config`. */
  readonly file: string | undefined;
}

/**
 * Runs the command that the arguments after the program's name select. Throws UsageError.
 *
 * @param table all commands
 */
export async function runCommandLine(
  parameters: readonly string[],
  shell: Shell,
  table: readonly CommandRow[] = commands,
): Promise<void> {
  const [first = "", second = ""] = parameters;
  if (first === "help") {
    if (parameters.includes("--help") || parameters.includes("-h") || second === "")
      shell.stdout.write(programHelp(table));
    else await runCommandLine([...parameters.slice(1), "--help"], shell, table);
    return;
  }
  if (first === "" || first.startsWith("-")) {
    await runFlags(parseFlags(parameters), shell, table);
    return;
  }
  for (const row of table) {
    const count = row.words === first ? 1 : row.words === `${first} ${second}` ? 2 : 0;
    if (count === 0) continue;
    const { command } = await row.load();
    await command.execute(row.words, parameters.slice(count), shell);
    return;
  }
  const family = table.filter(({ words }) => words.startsWith(`${first} `));
  if (family.length === 0) throw unknownCommand(first, table);
  if (second !== "--help" && second !== "-h")
    throw /^(-|$)/.test(second) ? incomplete(family) : unknownCommand(`${first} ${second}`, family);
  shell.stdout.write(`Commands:\n${commandRows(family)}\n${furtherHelp}`);
}

async function runFlags({ action, file }: Flags, shell: Shell, table: readonly CommandRow[]): Promise<void> {
  const run = async (words: string, ...parameters: readonly string[]): Promise<void> =>
    (await table.find((row) => row.words === words)?.load())?.command.execute(words, parameters, shell);
  const config = file === undefined ? [] : [`--config=${file}`];
  switch (action) {
    case "help":
      shell.stdout.write(programHelp(table));
      return;
    case "version":
      shell.stdout.write(`${(await import("../version.ts")).readVersion()}\n`);
      return;
    case "hash-key":
      return run(action);
    case "check":
    case "serve":
      return run(action, ...config);
    default:
      action satisfies never;
  }
}

/** Parses a command line without a command. Throws UsageError. */
export function parseFlags(parameters: readonly string[]): Flags {
  const { values, positionals } = parse(parameters, options, "see --help");
  // Do not quote the argument: it may be a key that the user meant to send to standard input.
  if (positionals.length > 0) {
    throw new UsageError("unexpected argument; write only options, and an API key to standard input; see --help");
  }
  const [action = "serve", other] = actions.filter((name) => values[name]);
  if (action !== "help" && other !== undefined) throw new UsageError(`--${action} and --${other} cannot be combined`);
  if (values.config === "") throw new UsageError("--config needs a path");
  return { action, file: values.config };
}

function unknownCommand(written: string, rows: readonly CommandRow[]): UsageError {
  const near = nearest(written, [...rows.map(({ words }) => words), "help"]);
  const fix = near.length > 0 ? `did you mean ${near.join(" or ")}?` : "see --help";
  // A word with other characters may be a key that the user meant to send to standard input.
  const named = /^[a-z- ]{1,40}$/.test(written) ? ` ${written.trim()}` : "";
  return new UsageError(`unknown command${named}; ${fix}`);
}

function incomplete(family: readonly CommandRow[]): UsageError {
  return new UsageError(`the command is not complete; write ${family.map(({ words }) => words).join(" or ")}`);
}

const furtherHelp = "`dragoman help <command>` prints the options and examples of a command.\n";

const exitCodes = `Exit codes: 0: success. 1: the command or its call failed. 2: the command line is wrong. 130: Ctrl-C.
`;

/** Text of `dragoman --help`. */
export function programHelp(table: readonly CommandRow[]): string {
  return `Usage: dragoman [command] [options]

Without a command, starts the service. Without a file, environment variables select the providers.

Commands:
${commandRows(table)}
Options:
${optionRows(options)}
Examples:
  # Start the service
  dragoman serve

  # Ask a model of the running service; echo/echo needs no provider
  dragoman chat "What is the capital of France?" --model echo/echo

${exitCodes}${furtherHelp}`;
}

function commandRows(table: readonly CommandRow[]): string {
  return rows(table.map(({ words, summary }) => [words, summary]));
}

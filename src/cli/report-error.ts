import { ConfigError } from "../config/config-error.ts";
import { CommandError, UsageError } from "./failures.ts";
import { escapeControls } from "./terminal-text.ts";

type ExpectedError = UsageError | ConfigError | CommandError;

/** Whether an error is one of the user's mistakes or of the command's work, and not a fault of the program. */
export function isExpected(error: unknown): error is ExpectedError {
  return error instanceof UsageError || error instanceof ConfigError || error instanceof CommandError;
}

/** Returns the exit code of a command that failed. */
export function exitCodeOf(error: ExpectedError): 1 | 2 {
  return error instanceof UsageError ? 2 : 1;
}

/** Returns what standard error gets: text for people, or one line of JSON if the command line has `--json`. */
export function reportOf(error: ExpectedError, parameters: readonly string[]): string {
  if (!wantsJson(parameters)) return `dragoman: ${error.message}\n`;
  const details =
    error instanceof CommandError ? error.details : error instanceof ConfigError ? { problems: error.problems } : {};
  const described = { exit_code: exitCodeOf(error), message: error.message, ...details };
  return `${escapeControls(JSON.stringify({ error: described }))}\n`;
}

/** Whether a command line has the option `--json`. Looks at words, because the command line may be wrong. */
function wantsJson(parameters: readonly string[]): boolean {
  const end = parameters.indexOf("--");
  return (end < 0 ? parameters : parameters.slice(0, end)).includes("--json");
}

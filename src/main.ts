import { runCommandLine } from "./cli/command-line.ts";
import { CommandError, InterruptedError, UsageError } from "./cli/failures.ts";
import { shellOf } from "./cli/shell.ts";
import { ConfigError } from "./config/config-error.ts";

try {
  await runCommandLine(process.argv.slice(2), shellOf(process, process.env));
} catch (error) {
  if (error instanceof InterruptedError) process.exit(130);
  const isExpected = error instanceof UsageError || error instanceof ConfigError || error instanceof CommandError;
  if (!isExpected) throw error;
  process.stderr.write(`dragoman: ${error.message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

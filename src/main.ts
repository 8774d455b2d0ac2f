import { runCommandLine } from "./cli/command-line.ts";
import { InterruptedError } from "./cli/failures.ts";
import { exitCodeOf, isExpected, reportOf } from "./cli/report-error.ts";
import { shellOf } from "./cli/shell.ts";

const parameters = process.argv.slice(2);
try {
  await runCommandLine(parameters, shellOf(process, process.env));
} catch (error) {
  if (error instanceof InterruptedError) process.exit(130);
  if (!isExpected(error)) throw error;
  process.stderr.write(reportOf(error, parameters));
  process.exitCode = exitCodeOf(error);
}

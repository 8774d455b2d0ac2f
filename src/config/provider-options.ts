import type { ReportProblem } from "./config-error.ts";
import type { Tree } from "./config-file.ts";
import type { ConfigurableProvider } from "./provider.ts";
import { section } from "./rules.ts";
import { reportIssue } from "./validate.ts";

const noOptions = section({});

/**
 * Parses the options of a provider with its schema. Reports invalid options and then returns undefined.
 *
 * @param written the file before interpolation; problems quote it, since variables may contain secrets
 */
export function parseOptions(
  { name, optionsSchema = noOptions }: Pick<ConfigurableProvider, "name" | "optionsSchema">,
  options: Tree,
  written: Tree,
  report: ReportProblem,
): { readonly options: unknown } | undefined {
  const result = optionsSchema.safeParse(options);
  if (result.success) return { options: result.data };
  for (const issue of result.error.issues) {
    reportIssue({ ...issue, path: ["providers", name, "options", ...issue.path] }, written, report);
  }
  return undefined;
}

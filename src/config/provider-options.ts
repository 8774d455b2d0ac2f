import type { ReportProblem } from "./config-error.ts";
import type { Tree } from "./config-file.ts";
import type { ConfigurableProvider } from "./provider.ts";
import { section } from "./rules.ts";
import { reportIssue } from "./validate.ts";

const noOptions = section({});

/**
 * Parses what only one provider has by that provider's schema. Undefined, after a report, where it is wrong.
 *
 * @param written the file before interpolation, which problems quote
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

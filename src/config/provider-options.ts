import { z } from "zod";
import type { ReportProblem } from "./config-error.ts";
import type { Tree } from "./config-file.ts";
import { jsonForms } from "./json-forms.ts";
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
): { readonly options: unknown; readonly choices: readonly string[] } | undefined {
  const result = optionsSchema.safeParse(options);
  if (result.success) return { options: result.data, choices: choicesOf(optionsSchema) };
  for (const issue of result.error.issues) {
    reportIssue({ ...issue, path: ["providers", name, "options", ...issue.path] }, written, report);
  }
  return undefined;
}

/** Returns the names of the options whose value is one of a few words, and so no secret. */
function choicesOf(schema: z.ZodType): readonly string[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([name, option]) => (isChoice(option) ? [name] : []));
}

function isChoice(option: z.core.$ZodType): boolean {
  if (option instanceof z.ZodPrefault || option instanceof z.ZodOptional) return isChoice(option.def.innerType);
  const forms = jsonForms.get(option)?.anyOf ?? [];
  return forms.some((form) => typeof form === "object" && form.enum !== undefined);
}

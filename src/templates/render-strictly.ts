import { formatTime } from "./format-time.ts";
import { freeVariables } from "./free-variables.ts";
import { Environment } from "./jinja.ts";
import { explain, TemplateProblem } from "./problem.ts";
import { StrictInterpreter } from "./strict-interpreter.ts";
import { parseTemplate } from "./syntax.ts";
import { mostItems, runLimits, type TemplateJob, type TemplateOutcome } from "./template-job.ts";

/** Maximum characters of a problem's message. Longer ones are truncated, since a template can raise any text. */
const longestProblem = 1000;

/** Names that every template can use in addition to its variables. */
const globals = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  range,
  strftime_now: (format: unknown) => formatTime(new Date(), String(format)),
  raise_exception(message: unknown): never {
    throw new TemplateProblem(`it raised an error: ${String(message)}`);
  },
} as const;

/** Reserved names, which no variable can have: the globals above and the names that the Jinja library binds. */
export const ownNames: ReadonlySet<string> = new Set([
  ...Object.keys(globals),
  "namespace",
  "loop",
  "caller",
  "varargs",
  "kwargs",
]);

/** Renders an untrusted template. Never throws: a mistake in the template is returned as `problem`. */
export function renderStrictly(
  { source, variables, unknownValues = {} }: TemplateJob,
  limits = runLimits,
): TemplateOutcome {
  try {
    const program = parseTemplate(source);
    const unknown = freeVariables(program).filter((name) => !ownNames.has(name) && !Object.hasOwn(variables, name));
    const withoutValue = unknown.find((name) => Object.hasOwn(unknownValues, name));
    if (withoutValue !== undefined) return toProblem(`it uses ${withoutValue}, but ${unknownValues[withoutValue]}`);
    if (unknown.length > 0) {
      const known = Object.keys(variables).join(", ");
      return toProblem(`unknown variable ${unknown.join(", ")}; this template can use ${known}`);
    }
    const environment = new Environment();
    for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value);
    return { prompt: String(new StrictInterpreter(environment, limits).run(program).value) };
  } catch (error) {
    return toProblem(error instanceof TemplateProblem ? error.message : explain(error));
  }
}

function toProblem(text: string): TemplateOutcome {
  return { problem: text.length > longestProblem ? `${text.slice(0, longestProblem)}…` : text };
}

/** Python's `range`. */
function range(first: unknown, end?: unknown, step: unknown = 1): readonly number[] {
  const [from, to] = end === undefined ? [0, first] : [first, end];
  if (!Number.isInteger(from) || !Number.isInteger(to) || !Number.isInteger(step) || step === 0) {
    throw new TemplateProblem("range needs whole numbers, and a step other than 0");
  }
  const length = Math.max(0, Math.ceil((Number(to) - Number(from)) / Number(step)));
  if (length > mostItems) throw new TemplateProblem(`a range has at most ${mostItems} items`);
  return Array.from({ length }, (_, place) => Number(from) + place * Number(step));
}

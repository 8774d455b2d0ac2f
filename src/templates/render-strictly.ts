import { freeVariables } from "./free-variables.ts";
import { Environment } from "./jinja.ts";
import { explain, TemplateProblem } from "./problem.ts";
import { type RenderLimits, StrictInterpreter } from "./strict-interpreter.ts";
import { parseTemplate } from "./syntax.ts";

/** A template and the variables that it may use. Everything in it is JSON. */
export interface TemplateJob {
  readonly source: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

export type TemplateOutcome = { readonly prompt: string } | { readonly problem: string };

/** The most items of a range, and of any list. Jinja's own sandbox has the same: MAX_RANGE in jinja2/sandbox.py. */
const mostItems = 100_000;

/** Templates of models take some milliseconds. */
export const runLimits: RenderLimits = { runMs: 500, characters: 4 * 1024 * 1024, items: mostItems, depth: 500 };

/** Characters of a problem, which may be a text that the template raises. */
const longestProblem = 1000;

/** What every template may use beside its variables. */
const globals = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  range,
  raise_exception(message: unknown): never {
    throw new TemplateProblem(`it raises: ${String(message)}`);
  },
} as const;

/** The names that no variable can have: those above, and what the library has for itself. */
export const ownNames: ReadonlySet<string> = new Set([
  ...Object.keys(globals),
  "namespace",
  "loop",
  "caller",
  "varargs",
  "kwargs",
]);

/** Renders a template that nobody here wrote. Never throws: what is wrong with the template is the outcome. */
export function renderStrictly({ source, variables }: TemplateJob, limits = runLimits): TemplateOutcome {
  try {
    const program = parseTemplate(source);
    const strangers = freeVariables(program).filter((name) => !ownNames.has(name) && !Object.hasOwn(variables, name));
    if (strangers.length > 0) {
      const known = Object.keys(variables).join(", ");
      return toProblem(`${strangers.join(", ")}: no such variable here; this template can use ${known}`);
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

/** Python's. */
function range(first: unknown, end?: unknown, step: unknown = 1): readonly number[] {
  const [from, to] = end === undefined ? [0, first] : [first, end];
  if (!Number.isInteger(from) || !Number.isInteger(to) || !Number.isInteger(step) || step === 0) {
    throw new TemplateProblem("range takes whole numbers, and a step other than 0");
  }
  const length = Math.max(0, Math.ceil((Number(to) - Number(from)) / Number(step)));
  if (length > mostItems) throw new TemplateProblem(`a range has at most ${mostItems} items`);
  return Array.from({ length }, (_, place) => Number(from) + place * Number(step));
}

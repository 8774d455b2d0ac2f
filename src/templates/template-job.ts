import type { RenderLimits } from "./strict-interpreter.ts";

/** A template and its variables. Must be JSON, since it is sent to another process. */
export interface TemplateJob {
  readonly source: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Variables whose value is not known, with what the caller can do instead. */
  readonly unknownValues?: Readonly<Record<string, string>>;
}

export type TemplateOutcome = { readonly prompt: string } | { readonly problem: string };

/** Maximum items of a range or list. Jinja's sandbox has the same limit: MAX_RANGE in jinja2/sandbox.py. */
export const mostItems = 100_000;

/** Default limits. The chat templates of real models need only a few milliseconds. */
export const runLimits: RenderLimits = { runMs: 500, characters: 4 * 1024 * 1024, items: mostItems, depth: 500 };

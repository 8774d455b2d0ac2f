/** Why a template cannot be rendered. The message reaches the caller, as the end of a sentence about the template. */
export class TemplateProblem extends Error {
  override readonly name = "TemplateProblem";
}

/** What an error of the Jinja library says; its own mistakes, which say nothing to a caller, in other words. */
export function explain(error: unknown): string {
  if (error instanceof RangeError) return "it nests too deeply or builds too much";
  if (!(error instanceof Error) || error instanceof TypeError) return "a value is of a kind that cannot be used there";
  if (error.message === "") return "break and continue belong into a loop";
  return error.message.replace(/^Parser Error: /, "");
}

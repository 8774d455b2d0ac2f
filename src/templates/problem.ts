/** Reason why a template cannot be rendered. The caller sees the message after "the template cannot be rendered: ". */
export class TemplateProblem extends Error {
  override readonly name = "TemplateProblem";
}

/** Returns the message of an error from the Jinja library. Rewrites JavaScript errors, which callers cannot use. */
export function explain(error: unknown): string {
  if (error instanceof RangeError) return "it nests too deeply or builds a value that is too large";
  if (!(error instanceof Error) || error instanceof TypeError)
    return "an operation does not support the type of its value";
  // `break` and `continue` outside of a loop throw an error without a message.
  if (error.message === "") return "break and continue are only allowed inside a loop";
  return error.message.replace(/^Parser Error: /, "");
}

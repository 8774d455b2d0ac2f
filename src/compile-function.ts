/**
 * Compiles JavaScript of the form `return <value>`, with names for the values that it uses. `file` is what profiles and
 * stacks show as its place. Undefined: Node.js was started with --disallow-code-generation-from-strings.
 */
export function compileFunction(source: string, values: Readonly<Record<string, unknown>>, file: URL): unknown {
  try {
    const compiled = new Function(...Object.keys(values), `"use strict";\n${source}\n//# sourceURL=${file}`);
    return compiled(...Object.values(values));
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}

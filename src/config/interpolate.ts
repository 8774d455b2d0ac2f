import type { ReportProblem } from "./config-error.ts";
import { isTree, type Tree } from "./config-file.ts";
import type { Environment } from "./environment.ts";

/**
 * Replaces references to environment variables in every string of the file. `${NAME:-text}` becomes `text` if the
 * variable is unset or empty, and `$${` becomes `${`. `${NAME}` with an unset variable is reported and becomes empty.
 */
export function interpolate(tree: Tree, environment: Environment, report: ReportProblem): Tree {
  const replace = (value: unknown, path: string): unknown => {
    if (typeof value === "string") return interpolateText(value, environment, report, path);
    if (Array.isArray(value)) return value.map((item, index) => replace(item, `${path}[${index}]`));
    return isTree(value) ? replaceAll(value, `${path}.`) : value;
  };
  const replaceAll = (mapping: Tree, prefix: string): Tree =>
    Object.fromEntries(Object.entries(mapping).map(([key, item]) => [key, replace(item, prefix + key)]));
  return replaceAll(tree, "");
}

function interpolateText(text: string, environment: Environment, report: ReportProblem, path: string): string {
  return text.replace(/\$\$\{|\$\{([^}]*)(\}?)/g, (match, reference: string | undefined, end: string) => {
    if (reference === undefined) return "${";
    const [, name, fallback] = /^([A-Za-z_]\w*)(?::-(.*))?$/s.exec(end === "" ? "" : reference) ?? [];
    if (name === undefined) {
      // Do not quote the text: after an unclosed brace it may contain a secret.
      report(
        path,
        "has a `${` that does not start a valid reference",
        `write \${NAME} or \${NAME:-default}, or $\${ for a literal \${`,
      );
      return match;
    }
    const value = environment[name];
    if (fallback !== undefined) return value || fallback;
    if (value === undefined) report(path, `the variable ${name} is not set`, `set it, or write \${${name}:-default}`);
    return value ?? "";
  });
}

import type { ReportProblem } from "./config-error.ts";
import { isTree, type Tree } from "./config-file.ts";
import type { Environment } from "./environment.ts";

/**
 * Replaces `${NAME}` by the variable in every text of the file, and `${NAME:-text}` by the variable or, where it is
 * unset or empty, by the text. `$${` stands for `${`. A variable that is not set is reported and counts as empty.
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
      // Not shown: what stands behind an unclosed brace may be a secret.
      report(
        path,
        "has a `${` that starts no reference",
        `write \${NAME} or \${NAME:-default}, or $\${ for the text itself`,
      );
      return match;
    }
    const value = environment[name];
    if (fallback !== undefined) return value || fallback;
    if (value === undefined) report(path, `the variable ${name} is not set`, `set it, or write \${${name}:-default}`);
    return value ?? "";
  });
}

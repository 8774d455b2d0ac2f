import { isTree, type Tree } from "./config-file.ts";
import { yaml } from "./yaml.ts";

/** Text that is not printed, because it is or may be a secret. */
export class HiddenText {
  /** Variable that the text came from. Undefined: the file has it. */
  readonly variable: string | undefined;
  /** The text with `${REMOVED}` in place of the secret. Default: all of it is secret. */
  readonly rest: string;

  constructor(variable?: string, rest = removed) {
    this.variable = variable;
    this.rest = rest;
  }
}

/** Value with a comment above its key. */
export class Commented {
  readonly value: unknown;
  readonly comment: string;

  constructor(value: unknown, comment: string) {
    this.value = value;
    this.comment = comment;
  }
}

/** What stands for a secret of the file. It is a reference, so that the file cannot be used without the secret. */
export const removed = "$" + "{REMOVED}";

type Path = readonly (string | number)[];

/**
 * Formats a described configuration as a file. Text that the file takes from variables is printed as it is written,
 * and other hidden text as `${REMOVED}`.
 *
 * @param written the file before interpolation
 * @param onRemoved receives the path of each text with `${REMOVED}`
 */
export function formatDescribed(described: object, written: Tree, onRemoved: (path: string) => void): string {
  const comments: { readonly path: Path; readonly comment: string }[] = [];

  function plain(value: unknown, path: Path): unknown {
    if (value instanceof Commented) {
      comments.push({ path, comment: value.comment });
      return plain(value.value, path);
    }
    if (value instanceof HiddenText) return textOf(value, path);
    // A text of the file would otherwise be read back as a reference.
    if (typeof value === "string") return value.replaceAll("${", () => "$${");
    if (Array.isArray(value)) return value.map((item, index) => plain(item, [...path, index]));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, [...path, key])]));
  }

  function textOf({ variable, rest }: HiddenText, path: Path): string {
    if (variable !== undefined) return `\${${variable}}`;
    const text = valueAt(written, path);
    if (typeof text === "string" && isReference(text, rest)) return text;
    onRemoved(
      path
        .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
        .join("")
        .slice(1),
    );
    return rest;
  }

  const { Document, isMap, isScalar } = yaml();
  const document = new Document(plain(described, []));
  for (const { path, comment } of comments) {
    const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
    const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1)) : undefined;
    if (pair && isScalar(pair.key)) pair.key.commentBefore = comment.replace(/^/gm, " ");
  }
  return document.toString();
}

/** Whether a text has references to variables, and nothing else that may be secret. */
function isReference(text: string, rest: string): boolean {
  const literal = text.replace(/\$\{[A-Za-z_]\w*\}/g, "");
  if (literal === text) return false;
  if (/^(?:bearer |basic )?$/i.test(literal)) return true;
  // Only the password of a URL is secret.
  return rest !== removed && !/:[^/@]+@|password=[^&]/i.test(literal.replace(/^\w+:\/\//, ""));
}

function valueAt(tree: unknown, path: Path): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return tree;
  if (Array.isArray(tree)) return valueAt(tree[Number(step)], rest);
  return isTree(tree) ? valueAt(tree[step], rest) : undefined;
}

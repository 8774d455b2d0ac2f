import { readFileSync } from "node:fs";
import { LineCounter, parseDocument } from "yaml";
import { ConfigError } from "./config-error.ts";

/** A mapping of the file. */
export type Tree = Record<string, unknown>;

/** Reads a YAML file. Throws ConfigError when it cannot be read or is not a mapping: nothing else can be said then. */
export function readConfigFile(path: string): Tree {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError([
      { path, problem: `cannot be read (${errorCode(error)})`, fix: "check --config or DRAGOMAN_CONFIG" },
    ]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  // One slip makes many errors; the first is where it is.
  const [first] = document.errors;
  if (first !== undefined) {
    const { line, col } = lines.linePos(first.pos[0]);
    // The parser's own message may quote the line, and so a secret; its code does not.
    const problem = `is not YAML (${first.code.toLowerCase().replaceAll("_", " ")})`;
    throw new ConfigError([{ path: `${path}:${line}:${col}`, problem, fix: "correct this line or the one above it" }]);
  }
  const tree = withoutEmpty(toPlain(path, () => document.toJS()));
  if (tree === undefined) return {};
  if (!isTree(tree)) throw new ConfigError([{ path, problem: "is not a mapping", fix: "write keys and values" }]);
  return tree;
}

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** The system's code of an error, such as ENOENT. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}

function toPlain(path: string, convert: () => unknown): unknown {
  try {
    return convert();
  } catch {
    throw new ConfigError([{ path, problem: "has aliases that lead nowhere or to too much", fix: "write them out" }]);
  }
}

/** A key with nothing after it, as is left when all below it is commented out, is as if it were not there. */
function withoutEmpty(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map((item) => withoutEmpty(item) ?? "");
  if (!isTree(value)) return value;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, withoutEmpty(item)]);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describeSystemError } from "../system-error.ts";
import { ConfigError } from "./config-error.ts";
import { yaml } from "./yaml.ts";

/** A YAML mapping in the configuration file. */
export type Tree = Record<string, unknown>;

/** What a configuration was made from. */
export interface WrittenConfig {
  /** The file before interpolation. Empty: there is no file. */
  readonly written: Tree;
  /** Base of relative paths. */
  readonly folder: string;
}

/** Gets the absolute path and the content of a file. Undefined: it cannot be read. */
export type OnRead = (path: string, content: Buffer | undefined) => void;

/** Reads a file, and passes it to `onRead` in any case. Throws the error of the system. */
export function readAndReport(path: string, onRead: OnRead): Buffer {
  let content: Buffer | undefined;
  try {
    content = readFileSync(path);
    return content;
  } finally {
    onRead(resolve(path), content);
  }
}

/** Reads a YAML file, with null for keys without a value. Throws ConfigError at once if it is unreadable, invalid YAML or not a mapping. */
export function readConfigFile(path: string, onRead: OnRead = () => {}): Tree {
  let text: string;
  try {
    text = readAndReport(path, onRead).toString("utf8");
  } catch (error) {
    throw new ConfigError([
      { path, problem: `cannot be read: ${describeSystemError(error)}`, fix: "check --config or DRAGOMAN_CONFIG" },
    ]);
  }
  const { LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  // One mistake causes many parser errors; the first error has the position of the mistake.
  const [first] = document.errors;
  if (first !== undefined) {
    const { line, col } = lines.linePos(first.pos[0]);
    // The parser's message may quote the line, which may contain a secret. Its error code does not.
    const problem = `is not valid YAML (${first.code.toLowerCase().replaceAll("_", " ")})`;
    const hasReference = /[{[].*\$\{/.test(text.split("\n")[line - 1] ?? "");
    const quotes = hasReference ? "; inside { } and [ ], variables need quotes" : "";
    const fix = `correct this line or the one above it${quotes}`;
    throw new ConfigError([{ path: `${path}:${line}:${col}`, problem, fix }]);
  }
  const tree = toPlain(path, () => document.toJS());
  if (tree === null) return {};
  if (!isTree(tree)) throw new ConfigError([{ path, problem: "is not a mapping", fix: "write `key: value` lines" }]);
  return tree;
}

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function toPlain(path: string, convert: () => unknown): unknown {
  try {
    return convert();
  } catch {
    throw new ConfigError([
      { path, problem: "has undefined or excessive YAML aliases", fix: "write the values instead of aliases" },
    ]);
  }
}

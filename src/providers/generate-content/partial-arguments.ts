import { mostLevels } from "../../chat/validation/json-bounds.ts";
import type { ChunkCall } from "./wire.ts";

type Piece = NonNullable<ChunkCall["partialArgs"]>[number];
type Container = Record<string | number, unknown>;

/** Maximum characters of the paths and values of a call, which Dragoman holds until the call is complete. */
const mostCharacters = 4 * 1024 * 1024;

/** A name or index in a JSON path: `.foo`, `[0]`, `['foo']` or `["foo"]`. */
const pathStep = /\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/gy;

/**
 * Arguments of a tool call that arrive in pieces: values with JSON paths, such as `$.foo.bar[0]`. Google streams them
 * if the provider options set `streamFunctionCallArguments`.
 */
export class PartialArguments {
  readonly #root = newObject();
  #characters = 0;

  /** Adds the arguments of one piece of the call. Returns false if a path is invalid, or if the pieces are too long. */
  add({ args, partialArgs }: ChunkCall): boolean {
    if (typeof args === "object" && args !== null) Object.assign(this.#root, args);
    return (partialArgs ?? []).every((piece) => this.#set(piece));
  }

  get json(): string {
    return JSON.stringify(this.#root);
  }

  #set(piece: Piece): boolean {
    const value = pieceValue(piece);
    this.#characters += String(value).length + (piece.jsonPath ?? "").length;
    if (this.#characters > mostCharacters) return false;
    const steps = stepsOf(piece.jsonPath ?? "");
    const last = steps?.at(-1);
    if (steps === undefined || last === undefined || steps.length > mostLevels) return false;
    let container = this.#root;
    for (const [place, step] of steps.slice(0, -1).entries()) {
      if (!hasPlace(container, step)) return false;
      const known = container[step];
      const next = isContainer(known) ? known : typeof steps[place + 1] === "number" ? newList() : newObject();
      container[step] = next;
      container = next;
    }
    if (!hasPlace(container, last)) return false;
    const before = container[last];
    container[last] = typeof before === "string" && typeof value === "string" ? before + value : value;
    return true;
  }
}

function newObject(): Container {
  return Object.create(null);
}

function newList(): Container {
  const list: unknown[] = [];
  return Object.assign(list);
}

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}

/**
 * Whether a container can have a value at a step. A list grows by one: a large index would make a list of that size.
 */
function hasPlace(container: Container, step: string | number): boolean {
  if (!Array.isArray(container)) return typeof step === "string";
  return typeof step === "number" && step <= container.length;
}

/** Returns the value of a piece. The last piece of a string can have none: it adds nothing. */
function pieceValue({ stringValue, numberValue, boolValue, nullValue }: Piece): unknown {
  return stringValue ?? numberValue ?? boolValue ?? (nullValue === undefined ? "" : null);
}

/** Returns the steps of a JSON path; undefined if it is invalid. */
function stepsOf(path: string): readonly (string | number)[] | undefined {
  if (!path.startsWith("$")) return undefined;
  const steps: (string | number)[] = [];
  let end = 1;
  for (const match of path.slice(1).matchAll(pathStep)) {
    const [text, name, index, single, double] = match;
    end += text.length;
    const quoted = single ?? double;
    if (index !== undefined) steps.push(Number(index));
    else steps.push(name ?? (quoted ?? "").replace(/\\(.)/g, "$1"));
  }
  return end === path.length ? steps : undefined;
}

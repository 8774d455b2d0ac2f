/** Piece of an argument. Exactly one value is set. */
interface Piece {
  readonly jsonPath?: unknown;
  readonly stringValue?: unknown;
  readonly numberValue?: unknown;
  readonly boolValue?: unknown;
  readonly nullValue?: unknown;
}

type Container = Record<string, unknown> | unknown[];

/** Maximum levels and list indexes of an argument's path. */
const mostLevels = 32;
const mostItems = 10_000;

/** Maximum characters of the arguments, which Dragoman holds until they are complete. */
const mostCharacters = 4 * 1024 * 1024;

/**
 * Function call whose arguments arrive in pieces, each with the JSONPath of its place (RFC 9535), such as `$.days[0]`.
 * Texts of one place are concatenated. https://ai.google.dev/api/caching#FunctionCall
 */
export class PartialCall {
  readonly id: string;
  readonly name: string;
  readonly signature: string | null | undefined;
  readonly #args: Record<string, unknown> = {};
  #characters = 0;

  constructor(id: string, name: string, signature: string | null | undefined) {
    this.id = id;
    this.name = name;
    this.signature = signature;
  }

  get argumentsJson(): string {
    return JSON.stringify(this.#args);
  }

  /** Adds pieces. Returns false if one is malformed. */
  add(pieces: unknown): boolean {
    return (
      Array.isArray(pieces) &&
      pieces.every((piece: unknown) => typeof piece === "object" && this.#addPiece(piece ?? {}))
    );
  }

  #addPiece({ jsonPath, stringValue, numberValue, boolValue, nullValue }: Piece): boolean {
    const path = typeof jsonPath === "string" ? toPath(jsonPath) : undefined;
    const last = path?.pop();
    if (path === undefined || last === undefined) return false;
    const value = stringValue ?? numberValue ?? boolValue ?? (nullValue === undefined ? "" : null);
    this.#characters += String(value).length + String(jsonPath).length;
    if (this.#characters > mostCharacters) return false;
    let container: Container = this.#args;
    for (const [at, step] of path.entries()) {
      const next = path[at + 1] ?? last;
      const known: unknown = memberOf(container, step);
      const inner: Container = isContainer(known) ? known : typeof next === "number" ? [] : {};
      if (inner !== known && !setMember(container, step, inner)) return false;
      container = inner;
    }
    const known = memberOf(container, last);
    const isMore = typeof known === "string" && typeof value === "string";
    return setMember(container, last, isMore ? known + value : value);
  }
}

function toPath(jsonPath: string): (string | number)[] | undefined {
  if (!jsonPath.startsWith("$") || jsonPath.length > 4_096) return undefined;
  const steps = [...jsonPath.slice(1).matchAll(/\.([^.[\]]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]|(.)/g)];
  if (steps.length > mostLevels || steps.some(([, , , , , other]) => other !== undefined)) return undefined;
  return steps.map(([, name, index, quoted, doubled]) =>
    index === undefined ? (name ?? quoted ?? doubled ?? "") : Number(index),
  );
}

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}

function memberOf(container: Container, step: string | number): unknown {
  return Object.hasOwn(container, step) ? Reflect.get(container, step) : undefined;
}

/** Returns false if the container cannot have the member. */
function setMember(container: Container, step: string | number, value: unknown): boolean {
  if (Array.isArray(container) && (typeof step !== "number" || step > Math.min(container.length, mostItems)))
    return false;
  return Reflect.defineProperty(container, step, { value, writable: true, enumerable: true, configurable: true });
}

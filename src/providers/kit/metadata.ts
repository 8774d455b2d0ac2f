import { mostMetadataBytes } from "../../chat/stream/bound-events.ts";
import type { Warning } from "../../gen/dragoman/v1/warning_pb.js";

/** Maximum levels of a value: to compare and serialize deeper ones could overflow the stack. */
const mostLevels = 32;

/** Maximum number of values that one warning names. */
const mostNames = 8;

/**
 * How a later value of the same name changes the value so far.
 * - replace: the later value is complete.
 * - merge: lists are concatenated and objects merged; otherwise the later value is complete.
 * - join: like merge, and texts are concatenated, as in deltas.
 */
type Growth = "replace" | "merge" | "join";

interface Fact {
  readonly value: unknown;
  /** Characters of the value as JSON, estimated. */
  readonly size: number;
}

/**
 * Values of a response that the contract has no field for, by their names in the provider's spelling. They become
 * `provider_metadata_json`. A value that would exceed the maximum size is omitted, and `omitted` has its name.
 */
export class Metadata {
  /** Undefined: there are none, as in most responses. */
  #facts: Map<string, Fact> | undefined;
  #omitted: Set<string> | undefined;
  #size = 0;

  /** Whether a value changes nothing, because it is empty or repeats what is known. */
  repeats(name: string, value: unknown): boolean {
    if (isEmpty(value) || this.#omitted?.has(name)) return true;
    return !Array.isArray(value) && repeatsValue(this.#facts?.get(name)?.value, value, mostLevels);
  }

  add(name: string, value: unknown, growth: Growth = "replace"): void {
    if (growth === "join" ? isEmpty(value) || this.#omitted?.has(name) : this.repeats(name, value)) return;
    const before = this.#facts?.get(name);
    const known = growth === "replace" ? undefined : before;
    const next = grown(known?.value, value, growth === "join");
    // Lists and texts only grow. To count them again for each chunk would take quadratic time.
    const grows = known !== undefined && !isFields(next);
    const size = grows ? known.size + sizeOf(value, mostLevels) : name.length + 4 + sizeOf(next, mostLevels);
    const total = this.#size - (before?.size ?? 0) + size;
    if (total <= mostMetadataBytes) {
      this.#size = total;
      this.#facts ??= new Map();
      this.#facts.set(name, { value: next, size });
      return;
    }
    this.#size -= before?.size ?? 0;
    this.#facts?.delete(name);
    // A response can have any number of names.
    this.#omitted ??= new Set();
    if (this.#omitted.size < 1_000) this.#omitted.add(name);
  }

  /** The values as the JSON text of an object; empty if there are none. */
  toJson(): string {
    if (this.#facts === undefined) return "";
    return metadataJson(Object.fromEntries([...this.#facts].map(([name, { value }]) => [name, value])));
  }

  /** Returns a warning that names the omitted values, if there are any. */
  warnings(): Warning[] {
    if (this.#omitted === undefined) return [];
    const names = [...this.#omitted].slice(0, mostNames).map((name) => name.slice(0, 64).toWellFormed());
    const more = this.#omitted.size > mostNames ? " and others" : "";
    return [omission(`${names.join(", ")}${more}`, `metadata can have at most ${mostMetadataBytes} bytes`)];
  }
}

/** Returns facts as `provider_metadata_json`. Empty if there are none. */
export function metadataJson(facts: Readonly<Record<string, unknown>>): string {
  return Object.keys(facts).length === 0 ? "" : JSON.stringify(facts);
}

/** Creates the warning for content of a response that is omitted. */
export function omission(content: string, reason: string): Warning {
  const message = `the response has ${content}, which is omitted: ${reason}`;
  return { $typeName: "dragoman.v1.Warning", reason: "LEFT_OUT", field: "", message };
}

type Field = readonly [name: string, value: unknown];

const noFields: readonly Field[] = [];

/** Returns the fields of a JSON object that are not in `known` and have a value. */
export function otherFields(value: unknown, known: ReadonlySet<string>): readonly Field[] {
  if (!isFields(value)) return noFields;
  let others: Field[] | undefined;
  for (const name in value) {
    if (known.has(name) || isEmpty(value[name])) continue;
    others ??= [];
    others.push([name, value[name]]);
  }
  return others ?? noFields;
}

type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is neither null nor an empty text, list or object. */
export function hasValue(value: unknown): boolean {
  return !isEmpty(value);
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== "object") return false;
  for (const _ in value) return false;
  return true;
}

function repeatsValue(known: unknown, value: unknown, levels: number): boolean {
  if (known === value || isEmpty(value)) return true;
  if (levels === 0) return false;
  if (Array.isArray(known) && Array.isArray(value)) {
    return known.length === value.length && value.every((item, at) => repeatsValue(known[at], item, levels - 1));
  }
  if (!isFields(known) || !isFields(value)) return false;
  for (const name in value) if (!repeatsValue(known[name], value[name], levels - 1)) return false;
  return true;
}

function grown(known: unknown, value: unknown, joinsText: boolean): unknown {
  if (typeof known === "string" && typeof value === "string") return joinsText ? known + value : value;
  if (Array.isArray(known) && Array.isArray(value)) {
    for (const item of value) known.push(item);
    return known;
  }
  if (!isFields(known) || !isFields(value)) return value;
  const names = new Set([...Object.keys(known), ...Object.keys(value)]);
  const entries = [...names].map((name) => {
    const next = value[name];
    if (isEmpty(next)) return [name, known[name]] as const;
    const isSame = !joinsText && repeatsValue(known[name], next, mostLevels);
    return [name, isSame ? known[name] : grown(known[name], next, joinsText)] as const;
  });
  return Object.fromEntries(entries);
}

/** Returns the characters of a value as JSON, without escapes. Infinity for too many levels. */
function sizeOf(value: unknown, levels: number): number {
  if (typeof value === "string") return value.length + 3;
  if (typeof value !== "object" || value === null) return String(value).length + 1;
  if (levels === 0) return Number.POSITIVE_INFINITY;
  let size = 3;
  if (Array.isArray(value)) {
    for (const item of value) size += sizeOf(item, levels - 1);
    return size;
  }
  for (const [name, item] of Object.entries(value)) size += name.length + 3 + sizeOf(item, levels - 1);
  return size;
}

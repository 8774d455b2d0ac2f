import type { Warning } from "../../gen/dragoman/v1/warning_pb.js";
import { hasValue, omission } from "./metadata.ts";

// What a member of a response may be without a warning: one that code reads or carries, as a field, as metadata or as
// provider state; one that says nothing to a caller, such as padding, for which the list of members has a comment; or
// one without a value. Every other member is named once per response, by its name and the type of its block.

/** Maximum warnings about one response. */
const mostWarnings = 16;

/**
 * Names of members that need no warning, each with `true` or, if Dragoman reads only some of its members, with those.
 * The name `*` stands for all others, which other code carries.
 */
interface Shape {
  readonly [name: string]: true | Shape;
}

/** Members of one type of block that need no warning. `place` names the type. */
export interface Members {
  readonly place: string;
  readonly known: ReadonlyMap<string, true | Members>;
  readonly others: true | undefined;
}

export function members(place: string, shape: Shape): Members {
  const known = Object.entries(shape).map(
    ([name, inner]) => [name, inner === true || members(`${place}.${name}`, inner)] as const,
  );
  return { place, known: new Map(known), others: shape["*"] === true || undefined };
}

/** Makes a table of members by the type of their block. */
export function membersByType(shapes: Readonly<Record<string, Shape>>): ReadonlyMap<string, Members> {
  return new Map(Object.entries(shapes).map(([type, shape]) => [type, members(type, shape)]));
}

/** Collects what a response contains that this version does not know, as warnings for the event `completed`. */
export class Unread {
  /** Undefined: there is none, as in most responses. */
  #places: Map<string, string> | undefined;

  /**
   * Adds content that Dragoman omits. Each kind causes one warning, which names its first place.
   *
   * @param what its type in the provider's spelling
   * @param place where it is in the response
   */
  add(what: string, place: string): void {
    this.#places ??= new Map();
    if (this.#places.size < mostWarnings && !this.#places.has(what)) this.#places.set(what, place);
  }

  /** Adds the unknown members of a block, or of each block of a list. Without known members, adds nothing. */
  addMembers(value: unknown, of: Members | undefined): void {
    if (typeof value !== "object" || value === null || of === undefined) return;
    if (Array.isArray(value)) {
      for (const item of value) this.addMembers(item, of);
      return;
    }
    const { place, known, others } = of;
    for (const name in value) {
      const inner = known.get(name) ?? others;
      if (inner === true) continue;
      const member: unknown = Reflect.get(value, name);
      if (inner !== undefined) this.addMembers(member, inner);
      else if (hasValue(member)) this.add(`the field ${name.slice(0, 64)}`, place);
    }
  }

  get warnings(): Warning[] {
    return Array.from(this.#places ?? [], ([what, place]) =>
      omission(`${what.slice(0, 80)} in ${place}`, "this version cannot read it"),
    );
  }
}

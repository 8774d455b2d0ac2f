import type { Shape } from "./read-types.ts";

/** A value of a published type whose texts and numbers are marks, which occur nowhere else. */
export interface Instance {
  readonly value: unknown;
  /** Path of each mark: field names, without the indices of lists. */
  readonly marks: ReadonlyMap<string, string>;
  /** Path and name of the union member that distinguishes this instance from the others. */
  readonly title: string;
}

/** How to make instances of the types of one SDK. */
export interface Making {
  /** Returns the name of a field in JSON. Default: as declared. */
  readonly wireName?: (name: string) => string;
  /** Types by name of whose fields a value has one. */
  readonly oneOf?: Readonly<Record<string, OneOf>>;
  /** Names of types, and names and paths of fields, that the API never sends. */
  readonly never?: ReadonlySet<string>;
  /** Values of fields that are the structure of a response, such as indices. */
  readonly fixed?: Readonly<Record<string, unknown>>;
  /** Members of unions in all instances that do not have another member, by path. Default: the first. */
  readonly usual?: Readonly<Record<string, string>>;
}

/** The fields of a type of which a value has one, besides those that it always has. */
interface OneOf {
  readonly usual: string;
  readonly always?: readonly string[];
  /** Fields that stand beside the usual one. */
  readonly beside?: readonly string[];
}

interface Union {
  readonly path: string;
  readonly names: readonly string[];
  readonly selected: number;
}

type Choices = ReadonlyMap<string, number>;

/**
 * Makes instances that together contain every member of each union in the type and every field of each object. The
 * first one has the first member of each union, and each of the others differs from an earlier one in one member.
 */
export function instancesOf(shape: Shape, making: Making = {}): readonly Instance[] {
  const made: Instance[] = [];
  const waiting: { readonly choices: Choices; readonly title: string }[] = [{ choices: new Map(), title: "" }];
  const seen = new Set<string>();
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const maker = new Maker(making, next.choices);
    const value = maker.make(shape, "", []);
    made.push({ value, marks: maker.marks, title: next.title });
    for (const [union, { path, names, selected }] of maker.unions) {
      if (seen.has(union)) continue;
      seen.add(union);
      for (const [index, name] of names.entries()) {
        if (index === selected) continue;
        waiting.push({ choices: new Map([...next.choices, [union, index]]), title: `${path} ${name}`.trim() });
      }
    }
  }
  return made;
}

class Maker {
  readonly marks = new Map<string, string>();
  /** The unions in the instance, by their path and the names of their members. */
  readonly unions = new Map<string, Union>();
  readonly #making: Making;
  readonly #choices: Choices;
  #count = 0;

  constructor(making: Making, choices: Choices) {
    this.#making = making;
    this.#choices = choices;
  }

  /** @param above names of the types around the value, so that a type that contains itself ends */
  make(shape: Shape, path: string, above: readonly string[]): unknown {
    switch (shape.kind) {
      case "text":
      case "bytes":
        return this.#mark(path, true);
      case "number":
        return this.#mark(path, false);
      case "boolean":
        return true;
      case "literal":
        return shape.value;
      case "any":
        return { inner: this.#mark(path, true) };
      case "list":
        return [this.make(shape.item, path, above)];
      case "map":
        return { key: this.make(shape.item, path, above) };
      case "union": {
        const members = shape.members.filter((member) => !this.#isNever(member, above));
        const selected = members[this.#select(path, members.map(nameOf))];
        return selected && this.make(selected, path, above);
      }
      case "object":
        return this.#object(shape.name, shape.fields(), path, above);
    }
  }

  #object(name: string, fields: ReadonlyMap<string, Shape>, path: string, above: readonly string[]): unknown {
    const inside = [...above, name];
    const { never = new Set() } = this.#making;
    const wireName = this.#making.wireName ?? ((field: string) => field);
    const pathOf = (field: string) => (path === "" ? wireName(field) : `${path}.${wireName(field)}`);
    const present = [...fields].filter(
      ([field, shape]) => ![field, pathOf(field)].some((name) => never.has(name)) && !this.#isNever(shape, inside),
    );
    const make = ([field, shape]: readonly [string, Shape]) => {
      const fixed = this.#making.fixed?.[pathOf(field)];
      return [wireName(field), fixed ?? this.make(shape, pathOf(field), inside)];
    };
    const oneOf = this.#making.oneOf?.[name];
    if (oneOf === undefined) return Object.fromEntries(present.map(make));
    const { usual, always = [], beside = [] } = oneOf;
    const names = present.map(([field]) => field).filter((field) => ![...always, ...beside].includes(field));
    const selected = names[this.#select(path, names, usual)];
    const has = (field: string) =>
      field === selected || always.includes(field) || (selected === usual && beside.includes(field));
    return Object.fromEntries(present.filter(([field]) => has(field)).map(make));
  }

  /** Whether a type is inside itself, or is never sent. */
  #isNever(shape: Shape, above: readonly string[]): boolean {
    if (shape.kind === "list" || shape.kind === "map") return this.#isNever(shape.item, above);
    if (shape.kind === "union") return shape.members.every((member) => this.#isNever(member, above));
    if (shape.kind !== "object") return false;
    return above.includes(shape.name) || (this.#making.never?.has(shape.name) ?? false);
  }

  /** Returns the index of the member that the instance has of a union. */
  #select(path: string, names: readonly string[], usual = this.#making.usual?.[path]): number {
    const union = `${path} ${names.join(" ")}`;
    const selected = this.#choices.get(union) ?? Math.max(0, usual === undefined ? 0 : names.indexOf(usual));
    this.unions.set(union, { path, names, selected });
    return selected;
  }

  /** Marks are also canonical base64, so that bytes have them too. */
  #mark(path: string, isText: boolean): string | number {
    const number = ++this.#count;
    const mark = isText ? `mark${String(number).padStart(4, "0")}` : 70_000 + number;
    this.marks.set(String(mark), path);
    return mark;
  }
}

function nameOf(shape: Shape): string {
  if (shape.kind === "object") return shape.name;
  return shape.kind === "literal" ? String(shape.value) : shape.kind;
}

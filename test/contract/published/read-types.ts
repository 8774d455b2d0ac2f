import { join } from "node:path";
import { API, type Checker, SymbolFlags, type Type, TypeFlags } from "typescript/unstable/sync";

/** A published type, as far as JSON can have it. */
export type Shape =
  | { readonly kind: "text" | "number" | "boolean" | "bytes" | "any" }
  | { readonly kind: "literal"; readonly value: string | number | boolean }
  | { readonly kind: "list" | "map"; readonly item: Shape }
  | { readonly kind: "union"; readonly members: readonly Shape[] }
  | ObjectShape;

export interface ObjectShape {
  readonly kind: "object";
  readonly name: string;
  /** Reads the fields. A function, because a type can contain itself. */
  fields(): ReadonlyMap<string, Shape>;
}

/**
 * Reads the exported types of roots.ts and passes them to `use`, with the compiler's own reader. Version 7 of
 * TypeScript runs it in a process, which ends with this call.
 */
export function readPublishedTypes<Result>(use: (types: ReadonlyMap<string, Shape>) => Result): Result {
  const api = new API({ cwd: import.meta.dirname });
  try {
    const snapshot = api.updateSnapshot({ openProjects: [join(import.meta.dirname, "tsconfig.json")] });
    const [project] = snapshot.getProjects();
    const file = project?.program.getSourceFile(join(import.meta.dirname, "roots.ts"));
    const module = file && project?.checker.getSymbolAtLocation(file);
    if (project === undefined || module === undefined) throw new Error("TypeScript cannot read roots.ts");
    const { checker } = project;
    const reader = new Reader(checker);
    const roots = checker.getExportsOfModule(module);
    return use(new Map(roots.map((root) => [root.name, reader.read(checker.getDeclaredTypeOfSymbol(root))])));
  } finally {
    api.close();
  }
}

class Reader {
  readonly #checker: Checker;
  readonly #known = new Map<number, Shape>();

  constructor(checker: Checker) {
    this.#checker = checker;
  }

  read(type: Type): Shape {
    const known = this.#known.get(type.id);
    if (known !== undefined) return known;
    // A union that contains itself, such as a type of any JSON value.
    this.#known.set(type.id, { kind: "any" });
    const shape = this.#shapeOf(type);
    this.#known.set(type.id, shape);
    return shape;
  }

  #shapeOf(type: Type): Shape {
    const checker = this.#checker;
    if (type.isErrorType()) throw new Error("a root in roots.ts has no such type in its SDK");
    if (type.isLiteralType() && typeof type.value !== "bigint") return { kind: "literal", value: type.value };
    if (type.isUnionType()) return this.#unionOf(type.getTypes());
    // A branded string is an intersection.
    const parts = type.isIntersectionType() ? type.getTypes() : [type];
    if (parts.some((part) => part.flags & TypeFlags.StringLike)) return { kind: "text" };
    if (type.flags & TypeFlags.NumberLike) return { kind: "number" };
    if (type.flags & TypeFlags.BooleanLike) return { kind: "boolean" };
    if (type.flags & (TypeFlags.Any | TypeFlags.Unknown)) return { kind: "any" };
    if (type.isTypeReference() && checker.isArrayLikeType(type)) {
      return { kind: "list", item: this.#unionOf(checker.getTypeArguments(type)) };
    }
    const name = checker.typeToString(type);
    if (/^Uint8Array\b/.test(name)) return { kind: "bytes" };
    if (name === "Date") return { kind: "text" };
    const properties = checker.getPropertiesOfType(type);
    const [index] = checker.getIndexInfosOfType(type);
    if (properties.length === 0) return index ? { kind: "map", item: this.read(index.valueType) } : { kind: "any" };
    return { kind: "object", name, fields: () => this.#fieldsOf(type) };
  }

  #fieldsOf(type: Type): ReadonlyMap<string, Shape> {
    const fields = new Map<string, Shape>();
    for (const property of this.#checker.getPropertiesOfType(type)) {
      // Methods and getters of a class are not in its JSON.
      if (property.flags & (SymbolFlags.Method | SymbolFlags.Accessor)) continue;
      const of = this.#checker.getTypeOfSymbol(property);
      const shape = of && !isNothing(of) ? this.read(of) : undefined;
      if (shape !== undefined) fields.set(property.name, shape);
    }
    return fields;
  }

  #unionOf(types: readonly Type[]): Shape {
    const members = types.filter((type) => !isNothing(type)).map((type) => this.read(type));
    const [first, ...others] = members;
    if (first === undefined) return { kind: "any" };
    if (members.every((member) => member.kind === "literal" && typeof member.value === "boolean"))
      return { kind: "boolean" };
    return others.length === 0 ? first : { kind: "union", members };
  }
}

function isNothing(type: Type): boolean {
  return (type.flags & (TypeFlags.Undefined | TypeFlags.Null | TypeFlags.Never | TypeFlags.Void)) !== 0;
}

import { isLargeInteger } from "./large-integers.ts";

/** JSON Schemas that a provider's API accepts in one place of a request. Dragoman rewrites other schemas. */
export interface SchemaRules {
  /**
   * Keywords that the API accepts in every schema. Undefined: all; then only the rules for the root and arrays apply.
   */
  readonly keywords?: ReadonlySet<string>;
  /** Values of `format` that the API accepts. Undefined: all. */
  readonly formats?: ReadonlySet<string>;
  /** Greatest `minItems` that the API accepts. Undefined: no limit. */
  readonly mostMinItems?: number;
  /** Whether every object must have `additionalProperties: false`. */
  readonly closed?: boolean;
  /** Whether every property must be in `required`. */
  readonly allRequired?: boolean;
  /** Whether every object must have at least one required property. */
  readonly someRequired?: boolean;
  /** Whether every schema must have a type, or keywords that imply one. */
  readonly typed?: boolean;
  /** Whether `type` must be a single name. */
  readonly oneType?: boolean;
  /** Greatest number of alternatives in an `anyOf`. Undefined: no limit. */
  readonly mostAlternatives?: number;
  /**
   * Whether a schema must not refer to itself; `optional`: it may, but only within properties that are not required.
   */
  readonly finite?: true | "optional";
  /** Whether an array must have `items`. */
  readonly itemsRequired?: boolean;
  /** What the root must be: an object, or any type, but without alternatives. Undefined: anything. */
  readonly root?: "object" | "plain";
  readonly limits?: SchemaLimits;
}

/** Maximum sizes of a schema that an API accepts. Undefined: no limit. */
export interface SchemaLimits {
  /** Properties of all objects together. */
  readonly properties?: number;
  /** Objects inside each other, with the root. */
  readonly levels?: number;
  /** Values of all `enum` together. */
  readonly values?: number;
  /** Characters of the strings of one `enum` that has more than 250 values. */
  readonly longEnum?: number;
  /** Characters of all names of properties and definitions, and of all strings in `enum` and `const`. */
  readonly characters?: number;
  /** Properties that are not in `required`. */
  readonly optional?: number;
  /** Schemas with `anyOf` or several types. */
  readonly unions?: number;
}

/** The rules of one model's API. Undefined rules: the API accepts every schema. */
export interface SchemaTarget {
  /** Output schemas that the API constrains the output to: all, or only those with `strict: true`. */
  readonly output?: {
    readonly constrained: SchemaRules;
    readonly when: "always" | "strict";
    readonly other?: SchemaRules;
  };
  /** Parameters of tools: `strict` for those with `strict: true`. */
  readonly tools?: { readonly strict?: SchemaRules; readonly other?: SchemaRules };
}

export type Schema = Readonly<Record<string, unknown>>;

/** Keyword that the sent schema does not have, and where the caller's schema has it, as a JSON Pointer. */
export interface MovedKeyword {
  readonly keyword: string;
  readonly at: string;
}

export function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isLargeInteger(value);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Returns the entries of an object; of any other value, none. */
export function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isSchema(value) ? Object.entries(value) : [];
}

export function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

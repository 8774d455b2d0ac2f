import { keepKeywords } from "./keep-keywords.ts";
import { constrains, ofType, typesOf } from "./keywords.ts";
import { anyOfThese, both } from "./merge.ts";
import { definitionName, escapeStep, References } from "./references.ts";
import { entriesOf, isSchema, listOf, type MovedKeyword, type Schema, type SchemaRules } from "./schema-rules.ts";
import { checkClosed, checkRequired, literals, Unfit, withNull } from "./unfit.ts";

/** Maximum number and depth of schemas in the result: references that are replaced by their schemas can multiply. */
const mostSchemas = 300_000;
const mostLevels = 256;

/** Rewrites the schemas inside one JSON Schema for an API's rules. */
export class SchemaFitter {
  readonly #rules: SchemaRules;
  readonly #references: References;
  readonly #moved = new Map<string, MovedKeyword>();
  /** Definitions that the result refers to, by name. Undefined: not rewritten yet. */
  readonly #definitions = new Map<string, Schema | undefined>();
  #count = 0;
  #level = 0;
  /** Reference to the definition that is being rewritten, or to the root. */
  #owner = "#";
  /** Whether the schema that is being rewritten is in no optional property of its definition. */
  #isRequired = true;

  constructor(root: Schema, rules: SchemaRules) {
    this.#rules = rules;
    this.#references = new References(root);
  }

  get moved(): readonly MovedKeyword[] {
    return [...this.#moved.values()];
  }

  move(name: string, at: string): void {
    const keyword = this.#asWritten(name, at);
    this.#moved.set(`${at}/${keyword}`, { keyword, at: at === "" ? "/" : at });
  }

  /** Returns the caller's keyword for one into which the rewriting has changed it. */
  #asWritten(keyword: string, at: string): string {
    const caller = this.#references.find(`#${at}`);
    const written = { anyOf: "oneOf", prefixItems: "items" }[keyword];
    const isChanged = written !== undefined && isSchema(caller) && !(keyword in caller) && written in caller;
    return isChanged ? written : keyword;
  }

  /** Returns the rewritten definitions that the result refers to. Undefined: none. */
  definitions(): Schema | undefined {
    // A definition can refer to further ones, which the iteration reaches too.
    for (const name of this.#definitions.keys()) {
      const at = this.#references.find(`#/$defs/${escapeStep(name)}`) === undefined ? "definitions" : "$defs";
      const path = `/${at}/${escapeStep(name)}`;
      this.#owner = `#/$defs/${escapeStep(name)}`;
      this.#definitions.set(name, this.rewrite(this.#references.find(`#${path}`), path));
    }
    return this.#definitions.size === 0 ? undefined : Object.fromEntries(this.#definitions);
  }

  /**
   * Replaces the reference of a schema by what it refers to, which is in the rewritten schema `whole` if it is there.
   */
  resolve(schema: unknown, whole: Schema): Schema {
    let found = schema;
    for (let steps = 0; isSchema(found) && typeof found.$ref === "string"; steps++) {
      const { $ref, ...siblings } = found;
      const target = new References(whole).find($ref) ?? this.#references.find($ref);
      if (steps > 20 || !isSchema(target)) throw new Unfit(`the reference ${$ref}`);
      found = both(siblings, target).schema;
    }
    if (!isSchema(found)) throw new Unfit("a root that accepts any value");
    return found;
  }

  /** Rewrites a schema. `at` is its JSON Pointer in the caller's schema. */
  rewrite(given: unknown, at: string): Schema {
    if (++this.#count > mostSchemas || ++this.#level > mostLevels) throw new Unfit("so many references");
    if (given !== true && !isSchema(given)) throw new Unfit(`a schema that accepts no value at ${at || "/"}`);
    const fitted = this.#rewritten(given === true ? {} : this.#withoutAllOf(given, at), at);
    this.#level--;
    return fitted;
  }

  #rewritten(schema: Schema, at: string): Schema {
    if (typeof schema.$ref === "string") return this.#fitReference(schema, schema.$ref, at);
    const { nullable, ...rest } = schema;
    const keyword = "anyOf" in rest ? "anyOf" : "oneOf" in rest ? "oneOf" : undefined;
    const fitted = keyword === undefined ? this.#fitTyped(rest, at) : this.#fitAlternatives(rest, keyword, at);
    return nullable === true ? withNull(fitted, this.#rules) : fitted;
  }

  /** Merges the schemas of `allOf` into the schema itself: no API accepts every use of the keyword. */
  #withoutAllOf(schema: Schema, at: string): Schema {
    if (!Array.isArray(schema.allOf)) return schema;
    const { allOf, ...rest } = schema;
    let merged: Schema = rest;
    for (const part of listOf(allOf)) {
      const target = isSchema(part) && typeof part.$ref === "string" ? this.#inlined(part, part.$ref) : part;
      if (!isSchema(target)) {
        if (target === false) this.move("allOf", at);
        continue;
      }
      const { schema: next, exact } = both(merged, target);
      if (!exact) this.move("allOf", at);
      merged = next;
    }
    if (++this.#count > mostSchemas) throw new Unfit("so many references");
    return this.#withoutAllOf(merged, at);
  }

  #inlined(schema: Schema, reference: string): Schema {
    const target = this.#references.find(reference);
    if (!isSchema(target)) throw new Unfit(`the reference ${reference}`);
    if (this.#references.isRecursive(reference)) throw new Unfit(`${reference}, which refers to itself`);
    const { $ref: _, ...siblings } = schema;
    return both(siblings, target).schema;
  }

  #fitReference(schema: Schema, reference: string, at: string): Schema {
    const target = this.#references.find(reference);
    if (target === undefined) throw new Unfit(`the reference ${reference}`);
    const { finite } = this.#rules;
    if (finite !== undefined && this.#references.isRecursive(reference)) {
      if (finite === true) throw new Unfit(`${reference}, which refers to itself`);
      if (this.#isRequired && this.#references.leadsTo(reference, this.#owner))
        throw new Unfit(`${reference}, which refers to itself in a required property`);
    }
    const name = definitionName(reference);
    const { $ref: _, $defs: _1, definitions: _2, ...siblings } = schema;
    // APIs accept a reference only alone. A schema that refers to itself loses its description.
    const isAlone = this.#references.isRecursive(reference)
      ? !Object.keys(siblings).some((keyword) => constrains(keyword, ["object", "array", "string", "number"]))
      : Object.keys(siblings).length === 0;
    if (!this.#accepts("$ref") || !isAlone || (name === undefined && reference !== "#")) {
      return this.rewrite(this.#inlined(schema, reference), at);
    }
    if (name === undefined) return { $ref: "#" };
    if (!this.#definitions.has(name)) this.#definitions.set(name, undefined);
    return { $ref: `#/$defs/${escapeStep(name)}` };
  }

  /** Rewrites a schema with alternatives. The schema's other constraints go into each of them. */
  #fitAlternatives(schema: Schema, keyword: "anyOf" | "oneOf", at: string): Schema {
    const { [keyword]: alternatives, ...rest } = schema;
    const entries = Object.entries(rest);
    const isShared = (name: string) => constrains(name, ["object", "array", "string", "number"]);
    const shared = Object.fromEntries(entries.filter(([name]) => isShared(name) && name !== "oneOf"));
    const own = Object.fromEntries(entries.filter(([name]) => !isShared(name) && !/^(\$defs|definitions)$/.test(name)));
    if ("oneOf" in rest) this.move("oneOf", at);
    const isKept = keyword === "oneOf" && this.#accepts("oneOf");
    if (keyword === "oneOf" && !isKept && listOf(alternatives).length > 1) this.move("oneOf", at);
    const fitted = listOf(alternatives).flatMap((alternative, index) => {
      if (alternative === false) return [];
      const place = `${at}/${keyword}/${index}`;
      if (!isSchema(alternative) || Object.keys(shared).length === 0) return [this.rewrite(alternative, place)];
      const inner = typeof alternative.$ref === "string" ? this.#inlined(alternative, alternative.$ref) : alternative;
      const { schema: merged, exact } = both(inner, shared);
      if (!exact) this.move(keyword, at);
      return [this.rewrite(merged, place)];
    });
    return this.#alternatives(fitted, isKept ? "oneOf" : "anyOf", { at, own });
  }

  /** Returns a schema with these rewritten alternatives and the annotations `own`. */
  #alternatives(
    fitted: readonly Schema[],
    keyword: "anyOf" | "oneOf",
    { at, own = {} }: { readonly at: string; readonly own?: Schema },
  ): Schema {
    const { mostAlternatives = Number.POSITIVE_INFINITY } = this.#rules;
    const [first] = fitted;
    if (first === undefined) throw new Unfit(`a schema that accepts no value at ${at || "/"}`);
    if (fitted.length === 1) return { ...this.#kept(own, [], at), ...first };
    if (!this.#accepts("anyOf")) throw new Unfit(`alternatives at ${at || "/"}`);
    if (fitted.length > mostAlternatives) throw new Unfit(`more than ${mostAlternatives} alternatives at ${at || "/"}`);
    return { ...this.#kept(own, [], at), [keyword]: fitted };
  }

  #fitTyped(schema: Schema, at: string): Schema {
    const types = typesOf(schema);
    if (types.length === 0) {
      if (this.#rules.typed) throw new Unfit(`a value of any type at ${at || "/"}`);
      return this.#kept(schema, ["object", "array", "string", "number"], at);
    }
    const isDeep = types.some((type) => type === "object" || type === "array");
    if (types.length > 1 && (isDeep || this.#rules.oneType)) {
      const { title: _t, description: _d, ...rest } = schema;
      const fitted = types.map((type) => this.#fitTyped(ofType(rest, type), at));
      const own = Object.fromEntries(
        Object.entries(schema).filter(([name]) => name === "title" || name === "description"),
      );
      return this.#alternatives(fitted, "anyOf", { at, own });
    }
    const [first = ""] = types;
    const typed = {
      ...literals(schema, types, { at, takesConst: this.#accepts("const") }),
      type: types.length === 1 ? first : types,
    };
    const kept = this.#kept(typed, types, at);
    if (types.includes("object")) return this.#fitObject(kept, schema, at);
    return types.includes("array") ? this.#fitArray(kept, schema, at) : kept;
  }

  #kept(schema: Schema, types: readonly string[], at: string): Schema {
    const { kept, moved } = keepKeywords(schema, types, this.#rules);
    for (const keyword of moved) this.move(keyword, at);
    return kept;
  }

  #accepts(keyword: string): boolean {
    return this.#rules.keywords?.has(keyword) ?? true;
  }

  #fitObject(kept: Schema, schema: Schema, at: string): Schema {
    const { closed } = this.#rules;
    const { properties, required, additionalProperties } = schema;
    const { properties: _p, required: _r, additionalProperties: _a, ...own } = kept;
    const known = entriesOf(properties).filter(([, property]) => property !== false);
    const names = new Set(known.map(([name]) => name));
    const needed = [...new Set(listOf(required))];
    if (closed) checkClosed(schema, names, at);
    const isRequired = this.#isRequired;
    const inner = known.map(([name, property]) => {
      this.#isRequired = isRequired && needed.includes(name);
      return [name, this.rewrite(property, `${at}/properties/${escapeStep(name)}`)] as const;
    });
    this.#isRequired = isRequired;
    const isListed = needed.length > 0 || (this.#rules.allRequired && Array.isArray(required));
    const fitted: Schema = {
      ...own,
      ...((properties !== undefined || closed) && { properties: Object.fromEntries(inner) }),
      ...(isListed && { required: needed }),
      ...(closed ? { additionalProperties: false } : this.#additional(additionalProperties, schema, at)),
    };
    checkRequired(fitted, this.#rules, at);
    return fitted;
  }

  #additional(given: unknown, { patternProperties }: Schema, at: string): Schema {
    if (given === undefined) return {};
    // Without the patterns, the keyword would also apply to the properties whose names match them.
    const losesPatterns = patternProperties !== undefined && !this.#accepts("patternProperties");
    if (!this.#accepts("additionalProperties") || losesPatterns) {
      if (given !== true) this.move("additionalProperties", at);
      return {};
    }
    return { additionalProperties: isSchema(given) ? this.rewrite(given, `${at}/additionalProperties`) : given };
  }

  #fitArray(kept: Schema, { items, prefixItems }: Schema, at: string): Schema {
    const { items: _i, prefixItems: _p, ...own } = kept;
    const tuple = listOf(prefixItems ?? (Array.isArray(items) ? items : undefined));
    const further = Array.isArray(items) ? undefined : items;
    if (tuple.length > 0) {
      const first = tuple.map((item, index) => this.rewrite(item, `${at}/prefixItems/${index}`));
      const rest = further === undefined || further === false ? further : this.rewrite(further, `${at}/items`);
      if (this.#accepts("prefixItems"))
        return { ...own, prefixItems: first, ...(rest !== undefined && { items: rest }) };
      this.move("prefixItems", at);
      if (rest === undefined) return this.#withAnyItems(own, at);
      return { ...own, items: anyOfThese(rest === false ? first : [...first, rest]) };
    }
    if (further === undefined || further === true) return this.#withAnyItems(own, at);
    if (further === false) {
      this.move("items", at);
      return this.#withAnyItems(own, at);
    }
    return { ...own, items: this.rewrite(further, `${at}/items`) };
  }

  #withAnyItems(own: Schema, at: string): Schema {
    if (this.#rules.typed && this.#rules.itemsRequired) throw new Unfit(`an array with any items at ${at || "/"}`);
    return this.#rules.itemsRequired ? { ...own, items: {} } : own;
  }
}

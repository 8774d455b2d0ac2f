/**
 * Maximum nesting depth of JSON in a request. Code in Dragoman and its libraries recurses once per level. Schemas of
 * tools and output formats have about 20 levels.
 */
export const mostLevels = 128;

/** Maximum number of values in JSON of a model or a provider. Requests have `limits.max_values`. */
export const mostValues = 250_000;

/** Bound of JSON that a text exceeds. */
type JsonExcess = "levels" | "values";

/** Returns the bound that a JSON text exceeds, or undefined. Does not check that the text is valid JSON. */
export function excessOf(text: string, maxValues: number): JsonExcess | undefined {
  return new JsonCounter({ values: maxValues }).excessOf(text);
}

/** Parses JSON of a caller, model or provider. Throws an error if it is invalid or exceeds the bounds. */
export function parseBounded(text: string): unknown {
  const excess = new JsonCounter(parseBounds).excessOf(text);
  if (excess !== undefined) throw new ExcessiveJson(`the JSON has too many ${excess}`);
  return JSON.parse(text);
}

/** Error of `parseBounded` for JSON that exceeds the bounds. */
export class ExcessiveJson extends Error {
  override readonly name = "ExcessiveJson";
}

/** Maximum numbers for one or several JSON texts. */
export interface JsonBounds {
  readonly values: number;
  /**
   * Maximum cost of creating the values; undefined: no maximum. An object, list or string costs 1, which is about 150
   * ns in V8. A new name of a field costs 3: V8 keeps each name in a table, and the structure of an object by its
   * names.
   */
  readonly cost?: number;
}

/** Bounds of JSON that is parsed at once. Its values take at most 100 ms. */
export const parseBounds: JsonBounds = { values: mostValues, cost: 500_000 };

const newNameCost = 3;

/** Number of names to remember, a power of two. */
const rememberedNames = 256;

/** Counts the values of JSON texts against bounds, in one pass for each text. Creates no object for a value. */
export class JsonCounter {
  readonly #bounds: Required<JsonBounds>;
  #values = 0;
  #cost = 0;

  constructor({ values, cost = Number.POSITIVE_INFINITY }: JsonBounds) {
    this.#bounds = { values, cost };
  }

  /** Counts a text. Returns the bound that this text exceeds together with the earlier ones, or undefined. */
  excessOf(text: string): JsonExcess | undefined {
    const { values: maxValues, cost: maxCost } = this.#bounds;
    const names = maxCost === Number.POSITIVE_INFINITY ? undefined : new Names(text);
    let level = 0;
    let values = this.#values + 1;
    let cost = this.#cost;
    let begin = 0;
    let end = 0;
    for (let index = 0; index < text.length; index++) {
      switch (text.charCodeAt(index)) {
        case quote:
          begin = index + 1;
          end = endOfString(text, begin);
          index = end;
          cost++;
          break;
        case colon:
          cost += names?.isNew(begin, end) ? newNameCost - 1 : -1;
          break;
        case openingBracket:
        case openingBrace:
          if (++level > mostLevels) return "levels";
          values++;
          cost++;
          break;
        case closingBracket:
        case closingBrace:
          level--;
          break;
        case comma:
          values++;
          break;
      }
      if (values > maxValues || cost > maxCost) return "values";
    }
    this.#values = values;
    this.#cost = cost;
    return undefined;
  }
}

const [quote, colon, comma] = [0x22, 0x3a, 0x2c];
const [openingBracket, closingBracket, openingBrace, closingBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Remembers names of fields by their position in a text. A name that it has forgotten counts as new again. */
class Names {
  readonly #text: string;
  readonly #begins = new Uint32Array(rememberedNames);
  readonly #lengths = new Int32Array(rememberedNames).fill(-1);

  constructor(text: string) {
    this.#text = text;
  }

  isNew(begin: number, end: number): boolean {
    const length = end - begin;
    const place = (length * 31 + this.#text.charCodeAt(begin) * 7 + this.#text.charCodeAt(end - 1)) % rememberedNames;
    const isKnown = this.#lengths[place] === length && this.#isSame(this.#begins[place] ?? 0, begin, length);
    this.#begins[place] = begin;
    this.#lengths[place] = length;
    return !isKnown;
  }

  #isSame(one: number, other: number, length: number): boolean {
    for (let index = 0; index < length; index++) {
      if (this.#text.charCodeAt(one + index) !== this.#text.charCodeAt(other + index)) return false;
    }
    return true;
  }
}

/** Returns the index of the quotation mark that ends a string. */
function endOfString(text: string, begin: number): number {
  const first = text.indexOf('"', begin);
  if (first < 0) return text.length;
  if (text.charCodeAt(first - 1) !== backslash) return first;
  for (let index = begin; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === quote) return index;
    if (unit === backslash) index++;
  }
  return text.length;
}

const backslash = 0x5c;

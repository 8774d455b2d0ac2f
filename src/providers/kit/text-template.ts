/** The inside of a string in JSON, with at least one character. */
const stringJson = /^(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))+$/;

/** OpenAI pads each chunk, to hide the length of its text. The padding is the last member. */
const padding = /,"obfuscation":"\w*"\}$/;

/** Maximum characters of a text. V8's regular expressions use stack space for each. */
const longestText = 4_096;

/** Strings from this length on share the memory of the string that they were cut from. */
const sharedLength = 13;

/** Number of templates to learn of which none matches. */
const mostUnused = 4;

/**
 * Reads the text of JSON that differs from earlier JSON only in that text, without parsing it. Nearly all chunks of a
 * stream are such JSON, and to parse one takes several times as long.
 */
export class TextTemplate {
  #before: string | undefined;
  #after = "";
  #isPadded = false;
  #unused = 0;

  /** Returns the text. Undefined: the JSON differs from the learned JSON in more than that. */
  textOf(json: string): string | undefined {
    const before = this.#before;
    // `startsWith` takes ten times as long.
    if (before === undefined || json.slice(0, before.length) !== before) return undefined;
    const bare = this.#isPadded ? withoutPadding(json) : json;
    const end = bare.length - this.#after.length;
    const length = end - before.length;
    if (length <= 0 || length > longestText || bare.slice(end) !== this.#after) return undefined;
    const text = bare.slice(before.length, end);
    if (!stringJson.test(text)) return undefined;
    this.#unused = 0;
    return length < sharedLength && !text.includes("\\") ? text : String(JSON.parse(`"${text}"`));
  }

  /**
   * Learns from JSON what is around its text. `read` reads the text of other JSON, which can be invalid.
   */
  learn(json: string, text: string, read: (json: string) => string | undefined): void {
    this.forget();
    if (this.#unused >= mostUnused) return;
    const bare = withoutPadding(json);
    const at = bare.lastIndexOf(`"${text}"`);
    if (at < 0) return;
    this.#unused++;
    const before = bare.slice(0, at + 1);
    const after = bare.slice(at + 1 + text.length);
    // The same characters can be at another place. Then this JSON still has the old text, or is invalid.
    const other = text === "a" ? "b" : "a";
    if (readSafely(`${before}${other}${after}`, read) !== other) return;
    this.#before = before;
    this.#after = after;
    this.#isPadded = bare !== json;
  }

  /** Forgets the JSON. Call it when its other members may get another meaning. */
  forget(): void {
    this.#before = undefined;
  }
}

/** Without a last member, an object is still valid JSON. */
function withoutPadding(json: string): string {
  return json.replace(padding, "}");
}

function readSafely(json: string, read: (json: string) => string | undefined): string | undefined {
  try {
    return read(json);
  } catch {
    return undefined;
  }
}

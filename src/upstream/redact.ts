const redacted = "[redacted]";

/** Maximum characters of a text that Dragoman quotes. */
const longestText = 64 * 1024;

/** Minimum letters and digits of a secret that is found with other characters between them. */
const shortestSpelled = 8;

/**
 * One character in an encoded text: percent-encoded any number of times, a JSON, JavaScript or HTML escape, or any
 * character. `%25` is an encoded `%`.
 */
const unit = /%(?:25)*([\da-f]{2})|\\u00([\da-f]{2})|\\x([\da-f]{2})|&#x0{0,4}([\da-f]{2});|&#0{0,4}(\d{2,3});|./gis;

/** Letters and digits of a text, with the position of each in the text. */
interface Spelling {
  readonly letters: string;
  /** Start and end of each letter in the text, in turn. */
  readonly spans: Uint32Array;
}

/**
 * Replaces secrets in a text from a provider: as they are, with separators between their letters, with each letter
 * escaped, in base64 and in hexadecimal. Takes time linear in the text, and truncates texts above 64 Ki characters.
 */
export function redact(text: string, secrets: readonly string[]): string {
  if (secrets.length === 0 || text === "") return text;
  const start = text.slice(0, longestText);
  const spelling = spell(start);
  const patterns = [...new Set(secrets.flatMap(patternsOf))];
  const ranges = patterns.flatMap((pattern) => find(pattern, spelling));
  for (const secret of secrets) ranges.push(...literal(secret, start));
  // A secret can begin before the end of a truncated text and end after it, so its last letters go.
  const tail = Math.max(0, ...patterns.map(({ length }) => length));
  const end =
    text.length > start.length ? (spelling.spans[2 * Math.max(0, spelling.letters.length - tail)] ?? 0) : text.length;
  return replaced(start.slice(0, end), ranges);
}

/** Letters and digits only, in lower case: separators differ, and some texts change the case. */
const lettersOf = (text: string): string => text.replace(/[^\da-z]/gi, "").toLowerCase();

function patternsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const encoded = [bytes.toString("hex"), ...[0, 1, 2].map((offset) => inBase64(bytes, offset))];
  return [secret, ...encoded].map(lettersOf).filter(({ length }) => length >= shortestSpelled);
}

/**
 * Base64 of a secret inside a longer text that puts `offset` bytes before it in a group of three. Omits the characters
 * that also depend on the bytes around the secret.
 */
function inBase64(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
  const firstWhole = Math.ceil((offset * 8) / 6);
  const wholes = Math.floor(((offset + bytes.length) * 8) / 6);
  return text.slice(firstWhole, wholes);
}

/** Like `lettersOf`, for one character: a digit, a letter in lower case, or empty. */
function letterOf(code: number): string {
  const isDigit = code >= 0x30 && code <= 0x39;
  const lower = code | 0x20;
  if (isDigit) return String.fromCharCode(code);
  return lower >= 0x61 && lower <= 0x7a && code < 0x80 ? String.fromCharCode(lower) : "";
}

function spell(text: string): Spelling {
  const spans = new Uint32Array(2 * text.length);
  let letters = "";
  for (const match of text.matchAll(unit)) {
    const [all, percent, json, script, hexEntity, entity] = match;
    const hex = percent ?? json ?? script ?? hexEntity;
    const code = hex !== undefined ? Number.parseInt(hex, 16) : Number(entity ?? all.charCodeAt(0));
    const letter = letterOf(code);
    if (letter === "") continue;
    spans[2 * letters.length] = match.index;
    spans[2 * letters.length + 1] = match.index + all.length;
    letters += letter;
  }
  return { letters, spans };
}

type Range = readonly [start: number, end: number];

function find(pattern: string, { letters, spans }: Spelling): readonly Range[] {
  return occurrences(pattern, letters).map((at) => [spans[2 * at] ?? 0, spans[2 * (at + pattern.length - 1) + 1] ?? 0]);
}

function literal(secret: string, text: string): readonly Range[] {
  return occurrences(secret, text).map((at) => [at, at + secret.length]);
}

function occurrences(pattern: string, text: string): readonly number[] {
  const found: number[] = [];
  if (pattern === "") return found;
  for (let at = text.indexOf(pattern); at >= 0; at = text.indexOf(pattern, at + pattern.length)) found.push(at);
  return found;
}

/** Replaces the ranges, which may overlap. */
function replaced(text: string, ranges: readonly Range[]): string {
  let result = "";
  let done = 0;
  for (const [start, end] of [...ranges].sort(([a], [b]) => a - b)) {
    if (start >= text.length || end <= done) continue;
    if (start >= done) result += text.slice(done, start) + redacted;
    done = end;
  }
  return result + text.slice(done);
}

/**
 * Form of a response body, as its first bytes show. Servers declare forms wrongly: JSON as `text/plain`, events as
 * `application/octet-stream`, a stream as `application/json`.
 *
 * - json: one JSON value
 * - lines: one JSON value per line (NDJSON)
 * - events: server-sent events
 * - html, xml, utf16: nothing that a provider API returns
 * - empty: no bytes, or only blanks
 * - other: the bytes do not tell
 */
export type BodyForm = "json" | "lines" | "events" | "html" | "xml" | "utf16" | "empty" | "other";

/** Bytes of a body that Dragoman looks at, at most. */
const mostSeen = 64 * 1024;

/** Character before each JSON value of a JSON text sequence (RFC 7464). */
export const separator = "\u001e";

/** Blanks before a text. They include the byte order mark. */
const blanks = new RegExp(`^[\\s${separator}]+`);

/** The first field of server-sent events, or a comment. */
const eventField = /^(?:data|event|id|retry)?:/;
const fields = ["data:", "event:", "id:", "retry:"];

/** Bytes that show the form of most bodies. */
const usuallySeen = 256;

/**
 * Returns the form of a body that begins with these bytes. Undefined: more bytes are needed.
 *
 * @param isOver whether the body has no more bytes
 */
export function formOf(bytes: Buffer, contentType: string, isOver: boolean): BodyForm | undefined {
  if (isUtf16(bytes)) return "utf16";
  const isEnough = isOver || bytes.length >= mostSeen;
  const head = textOf(bytes, usuallySeen) || textOf(bytes, mostSeen);
  if (head === "") return isOver ? "empty" : isEnough ? "other" : undefined;
  if (head.startsWith("<")) return "<?xml".startsWith(head.slice(0, 5)) && head.length > 1 ? "xml" : "html";
  if (/^[{[]/.test(head)) return jsonForm(textOf(bytes, mostSeen), contentType) ?? (isEnough ? "json" : undefined);
  if (eventField.test(head) || /event-stream/i.test(contentType)) return "events";
  return !isEnough && fields.some((field) => field.startsWith(head)) ? undefined : "other";
}

/** Returns the beginning of a text without blanks before it. */
function textOf(bytes: Buffer, length: number): string {
  return bytes.toString("utf8", 0, length).replace(blanks, "");
}

/** Returns whether the header declares one JSON value. */
export function declaresJson(contentType: string): boolean {
  return /(?:application|text)\/(?:[\w.-]+\+)?json\b(?!-)/i.test(contentType);
}

/** Returns the form of a text that begins with JSON. Undefined: more bytes are needed. */
function jsonForm(text: string, contentType: string): BodyForm | undefined {
  if (/ndjson|jsonl|json-?lines|json-?seq|stream\+json/i.test(contentType)) return "lines";
  const end = text.search(/[\r\n]/);
  if (end < 0) return undefined;
  if (!isJson(text.slice(0, end))) return "json";
  return text.slice(end).replaceAll(separator, "").trim() === "" ? undefined : "lines";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether a text is UTF-16: by its byte order mark, or by the zero in its first ASCII character. */
function isUtf16(bytes: Buffer): boolean {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return false;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  const isAscii = (byte: number) => byte >= 0x20 && byte < 0x7f;
  return (first === 0 && isAscii(second)) || (second === 0 && isAscii(first));
}

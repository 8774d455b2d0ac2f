import type { Warning } from "../../gen/dragoman/v1/warning_pb.js";

/**
 * Response header with the warnings. Also the prefix of the comment in a stream with the warnings that arise after the
 * headers are sent.
 */
export const warningsHeader = "x-dragoman-warnings";

/** Maximum length of the header value, in characters. Proxies commonly allow 8 KiB for all headers. */
const maxCharacters = 4096;

/**
 * Formats warnings as one line of ASCII JSON: a list of `{reason, field, message}`, the fields of dragoman.v1.Warning.
 * Returns undefined for no warnings. Warnings that do not fit are replaced by a last entry with their count. Warnings
 * are not in the body, since clients of these APIs may reject unknown fields.
 */
export function formatWarnings(warnings: readonly Warning[]): string | undefined {
  if (warnings.length === 0) return undefined;
  const entries: string[] = [];
  let left = maxCharacters - toAscii(more(warnings.length)).length;
  for (const { reason, field, message } of warnings) {
    const entry = toAscii({ reason, field, message });
    left -= entry.length + 1;
    if (left < 0) break;
    entries.push(entry);
  }
  const omitted = warnings.length - entries.length;
  return `[${[...entries, ...(omitted > 0 ? [toAscii(more(omitted))] : [])].join(",")}]`;
}

function more(count: number) {
  return { reason: "OMITTED", field: "", message: `${count} more, omitted to limit the length of this list` };
}

/** Formats JSON in ASCII, for a header value (RFC 9110, section 5.5). JSON.stringify escapes control characters. */
function toAscii(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

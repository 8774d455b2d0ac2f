import type { Warning } from "../../gen/dragoman/v1/warning_pb.js";

/** The response header that has the warnings, and the word before them in the comment of a stream. */
export const warningsHeader = "x-dragoman-warnings";

/** Characters. Proxies commonly take 8 KiB of headers together. */
const maxCharacters = 4096;

/**
 * Warnings as one line of JSON in ASCII: a list of `{reason, field, message}`, the fields of dragoman.v1.Warning.
 * Undefined when there are none. No surface has a place for them in its body, and a client of theirs may reject what it
 * does not know. The list ends with a count of what did not fit.
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
  return { reason: "OMITTED", field: "", message: `${count} more, which do not fit here` };
}

/** Header values are ASCII (RFC 9110, section 5.5); JSON escapes what is below it by itself. */
function toAscii(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

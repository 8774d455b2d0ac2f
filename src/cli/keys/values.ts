import { parseAge } from "../../config/quantities.ts";
import { parseTime } from "../../config/times.ts";
import { UsageError } from "../failures.ts";

/** Maximum length of a name, as KeyService has it. */
const longestName = 256;

/** Returns a name that a key may have. Throws UsageError for one that is too long or that a terminal would obey. */
export function parseName(option: string, text: string): string {
  if ([...text].length <= longestName && !/\p{Cc}/u.test(text)) return text;
  throw new UsageError(
    `--${option} has a name that is too long or has control characters; write up to ${longestName} others`,
  );
}

/**
 * Splits a list with commas. Undefined: an empty list. Throws UsageError for a wrong item, and for more than `most`
 * items.
 */
export function parseList(option: string, text: string | undefined, most: number): readonly string[] {
  if (text === undefined) return [];
  const items = text.split(",").map((item) => item.trim());
  if (items.includes("")) throw new UsageError(`--${option} has an empty item; write names with commas between them`);
  if (items.length > most) throw new UsageError(`--${option} has more than ${most} items; write fewer`);
  return items.map((item) => parseName(option, item));
}

/** Parses a time, or a duration from now such as `90d`. Returns ms since 1970. Throws UsageError. */
export function parseExpiry(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ageMs = /^\d+$/.test(text) ? undefined : parseAge(text);
  const time = ageMs ? Date.now() + ageMs : parseTime(text);
  if (time === undefined || time <= Date.now()) {
    throw new UsageError("--expires is not a time in the future; write 90d, 12h, 2030-12-31 or 2030-12-31T17:00:00Z");
  }
  return time;
}

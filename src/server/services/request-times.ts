import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { isInRange, lastTimeMs } from "../../config/times.ts";

/** What a time in a request must be. */
export const timeRule = "must be a time from the year 1 to the year 9999";

/**
 * Whether a message has a time that JSON and the databases can hold. In the binary format, its fields can have any
 * values.
 */
export function isTime({ seconds, nanos }: Timestamp): boolean {
  return isInRange(Number(seconds) * 1000) && nanos >= 0 && nanos < 1e9;
}

/** Returns a valid time in ms since 1970. The last microsecond of the year 9999 is not rounded up. */
export function toMs(time: Timestamp): number {
  return Math.min(timestampMs(time), lastTimeMs);
}

import { readdirSync } from "node:fs";
import { join } from "node:path";

const form = /^(\d{8})\.segment$/;

/** Returns the path of a segment: a file of frames. The next one begins when it is full. */
export function segmentPath(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(8, "0")}.segment`);
}

/** Returns the number of the segment with this file name. Undefined: it is another file. */
export function segmentNumber(name: string): number | undefined {
  const [, digits] = form.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** Returns the numbers of the segments in a folder, in their order. None if there is no such folder. */
export function listSegments(folder: string): readonly number[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  return names.flatMap((name) => segmentNumber(name) ?? []).sort((one, other) => one - other);
}

/** Whether a file or folder does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

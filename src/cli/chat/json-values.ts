import type { JsonValue } from "@bufbuild/protobuf";
import { UsageError } from "../failures.ts";
import { readFile } from "../remote/read-file.ts";

/** Parses the JSON of an option. Throws UsageError. `place`: where the text is, for the error. */
export function parseJson(place: string, text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${place} is not JSON; write it in the form {"name": "value"}`);
  }
}

/** Reads the JSON file of an option. Throws UsageError. */
export function readJsonFile(option: string, path: string): JsonValue {
  return parseJson(`--${option}: the file ${JSON.stringify(path)}`, readFile(option, path).toString("utf8"));
}

import type { z } from "zod";
import type { ReportProblem } from "./config-error.ts";
import { isTree, type Tree } from "./config-file.ts";
import { type FileSection, fileSchema } from "./schema.ts";
import { suggest } from "./suggest.ts";

type Path = readonly PropertyKey[];

/**
 * Validates the file against the schema and reports every mistake. Returns the file without its invalid parts, so that
 * later checks can still find mistakes in the other parts.
 *
 * @param written the file before interpolation; problems quote it, since variables may contain secrets
 */
export function validate(tree: Tree, written: Tree, report: ReportProblem): FileSection {
  const result = fileSchema.safeParse(tree);
  if (result.success) return result.data;
  const remaining = structuredClone(tree);
  for (const issue of result.error.issues) {
    reportIssue(issue, written, report);
    for (const path of wrongPaths(issue, tree)) remove(remaining, path);
  }
  const rest = fileSchema.safeParse(remaining);
  return rest.success ? rest.data : fileSchema.parse({});
}

/** Validates the value of one environment variable. Reports an invalid value and then returns undefined. */
export function validateVariable<T>(
  schema: z.ZodType<T>,
  name: string,
  value: string,
  report: ReportProblem,
): T | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) reportIssue({ ...issue, path: [name] }, { [name]: value }, report);
  return undefined;
}

/**
 * Reports a zod issue as a mistake in the configuration.
 *
 * @param written the values before interpolation; the report may quote them
 */
export function reportIssue(issue: z.core.$ZodIssue, written: Tree, report: ReportProblem): void {
  const path = formatPath(issue.path);
  const value = valueAt(written, issue.path);
  switch (issue.code) {
    case "custom":
      if (value === undefined) report(path, "is missing", String(issue.params?.fix));
      else report(path, `${issue.params?.shown ? `${show(value)} ` : ""}${issue.message}`, String(issue.params?.fix));
      return;
    case "unrecognized_keys":
      for (const key of issue.keys) {
        // `section` lists the known keys in the message.
        const known = issue.message.split(" ").filter((name) => name !== "");
        report(formatPath([...issue.path, key]), "is not a known key", suggest(key, known));
      }
      return;
    case "invalid_type":
      report(path, `is not ${shapes[issue.expected] ?? issue.expected}`, fixOf(issue));
      return;
    default:
      report(path, "is not valid", "see dragoman.example.yaml");
  }
}

/** Says what to write instead of a value of another type. */
export function fixOf({ expected, message }: z.core.$ZodIssueInvalidType): string {
  switch (expected) {
    case "object":
      return `write a mapping with the keys ${message.split(" ").join(", ")}`;
    case "record":
      return "write a mapping, with a line `NAME: ...` for each";
    case "array":
      return "write a list, such as `[one, other]`";
    default:
      return "see dragoman.example.yaml";
  }
}

const shapes: Readonly<Record<string, string>> = {
  object: "a mapping",
  record: "a mapping",
  array: "a list",
};

/** Formats a path, such as `authentication.keys[0].id`. */
function formatPath(path: Path): string {
  return path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${String(key)}`))
    .join("");
}

function valueAt(tree: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined) return tree;
  if (Array.isArray(tree)) return valueAt(tree[Number(key)], rest);
  return isTree(tree) && Object.hasOwn(tree, key) ? valueAt(tree[String(key)], rest) : undefined;
}

function show(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length <= 60 ? json : `${json.slice(0, 60)}…`;
}

/** Returns the invalid paths of an issue. If a required key is missing, this is the path of its whole mapping. */
function wrongPaths(issue: z.core.$ZodIssue, tree: Tree): readonly Path[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => [...issue.path, key]);
  return [valueAt(tree, issue.path) === undefined ? issue.path.slice(0, -1) : issue.path];
}

/** Removes the value at the path. If it is inside a list, removes the whole list. */
function remove(tree: Tree, [key, ...rest]: Path): void {
  const child = tree[String(key)];
  if (rest.length > 0 && isTree(child)) remove(child, rest);
  else delete tree[String(key)];
}

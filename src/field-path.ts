import type { Path } from "@bufbuild/protobuf/reflect";

/** Key of a map. */
interface MapKey {
  readonly key: string | number | bigint | boolean;
}

/** Name of a field, index of a list, or key of a map. */
export type FieldStep = string | number | MapKey;

/** Steps from a ChatRequest to one of its fields, such as `["messages", 2, "role"]`. Empty: the request itself. */
export type FieldPath = readonly FieldStep[];

/** Formats a path as protobuf does: `messages[0].role`, `parameters.logit_bias["7"]`. */
export function formatPath(path: FieldPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "string") return text === "" ? step : `${text}.${step}`;
    return `${text}[${typeof step === "number" ? step : formatKey(step)}]`;
  }, "");
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\r": "\\r", "\n": "\\n" };

/** Escapes the same characters as protobuf's `pathToString`. */
function formatKey({ key }: MapKey): string {
  return typeof key === "string"
    ? `"${[...key].map((character) => escapes[character] ?? character).join("")}"`
    : `${key}`;
}

/** Formats a path with dots only, as HTTP APIs do: `messages.0.role`. */
export function formatDotted(path: FieldPath): string {
  return path.map(stepText).join(".");
}

/** Converts a step for an HTTP API: an index stays a number, anything else becomes text. */
export function plainStep(step: FieldStep): string | number {
  return typeof step === "number" ? step : stepText(step);
}

function stepText(step: FieldStep): string {
  return String(typeof step === "object" ? step.key : step);
}

/** Whether two paths name the same field. */
export function isSamePath(one: FieldPath, other: FieldPath): boolean {
  return one.length === other.length && isWithin(one, other);
}

/** Whether `path` is `outer` or a field inside it. */
export function isWithin(path: FieldPath, outer: FieldPath): boolean {
  return outer.every((step, index) => isSameStep(step, path[index]));
}

function isSameStep(one: FieldStep, other: FieldStep | undefined): boolean {
  if (typeof one !== "object" || typeof other !== "object") return one === other;
  return one.key === other.key;
}

/** Truncates a path so that its names together have at most this many characters. The last name may be truncated. */
export function cutPath(path: FieldPath, characters: number): FieldPath {
  let left = characters;
  const kept: FieldStep[] = [];
  for (const step of path) {
    const text = stepText(step);
    if (text.length > left) {
      const cut = `${text.slice(0, Math.max(left - 1, 0)).toWellFormed()}…`;
      return [...kept, typeof step === "object" ? { key: cut } : cut];
    }
    kept.push(step);
    left -= text.length;
  }
  return path;
}

/** Converts a protovalidate path, which starts at the validated message. */
export function fromProtoPath(path: Path): FieldPath {
  return path.map((step) => {
    switch (step.kind) {
      case "field":
      case "oneof":
        return step.name;
      case "extension":
        return step.typeName;
      case "list_sub":
        return step.index;
      case "map_sub":
        return { key: step.key };
      default:
        return step satisfies never;
    }
  });
}

/** Converts a zod path, which starts at the parsed value. */
export function fromZodPath(path: readonly PropertyKey[]): FieldPath {
  return path.map((step) => (typeof step === "symbol" ? String(step) : step));
}

import type { Path } from "@bufbuild/protobuf/reflect";

/** Key of a map. */
interface MapKey {
  readonly key: string | number | bigint | boolean;
}

/** Name of a field, index of a list, or key of a map. */
export type FieldStep = string | number | MapKey;

/** Steps from a ChatRequest to one of its fields, such as `["messages", 2, "role"]`. Empty: the request itself. */
export type FieldPath = readonly FieldStep[];

/** Text of a path as protobuf writes it: `messages[0].role`, `parameters.logit_bias["7"]`. */
export function formatPath(path: FieldPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "string") return text === "" ? step : `${text}.${step}`;
    return `${text}[${typeof step === "number" ? step : formatKey(step)}]`;
  }, "");
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\r": "\\r", "\n": "\\n" };

/** Escapes what protobuf's own `pathToString` escapes. */
function formatKey({ key }: MapKey): string {
  return typeof key === "string"
    ? `"${[...key].map((character) => escapes[character] ?? character).join("")}"`
    : `${key}`;
}

/** Text of a path with dots alone, as HTTP APIs write it: `messages.0.role`. */
export function formatDotted(path: FieldPath): string {
  return path.map(stepText).join(".");
}

/** A step as an HTTP API has it: an index as a number, anything else as text. */
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

/** Whether a path is that of a field, or of something inside it. */
export function isWithin(path: FieldPath, outer: FieldPath): boolean {
  return outer.every((step, index) => isSameStep(step, path[index]));
}

function isSameStep(one: FieldStep, other: FieldStep | undefined): boolean {
  if (typeof one !== "object" || typeof other !== "object") return one === other;
  return one.key === other.key;
}

/** The first steps of a path, whose names together have at most so many characters. The last one may be cut. */
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

/** A path of protovalidate's, from the message that was validated. */
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

/** A path of zod's, from the value that was parsed. */
export function fromZodPath(path: readonly PropertyKey[]): FieldPath {
  return path.map((step) => (typeof step === "symbol" ? String(step) : step));
}

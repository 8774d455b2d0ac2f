import type { JsonObject } from "@bufbuild/protobuf";
import type { FieldPath } from "../../field-path.ts";

/** Field of an upstream body that Dragoman writes by itself, or whose name in the body Dragoman chose. */
export interface OwnField {
  /** Path in the body, with dots: `stream_options`. */
  readonly name: string;
  /** ChatRequest field that the caller could set instead. Undefined: none. */
  readonly field?: FieldPath;
  /** Whether only the body of a streamed response has the field. Default false. */
  readonly onlyStreamed?: boolean;
  /** Another name of the same field, for an API that does not know `name`. Undefined: the field can be left out. */
  readonly otherName?: string;
}

/** Field that a target rejected although the caller did not write it. Later calls leave it out, or use another name. */
export interface LearnedField {
  /** Path in the body, with dots. Unique for a target. */
  readonly name: string;
  /** Default of a ChatRequest field, which planning leaves out. Undefined: the adapter leaves out its own field. */
  readonly field?: FieldPath;
  /** Name that the adapter uses instead. Undefined: the field is left out. */
  readonly otherName?: string;
  /** Rejection by the provider, without words that it may have taken from a prompt: calls of others show it. */
  readonly rejection: string;
  /** Time until which Dragoman remembers the field, in milliseconds since 1970. */
  readonly untilMs: number;
}

/** Returns the text of the warning about a learned field. */
export function learnedText({ name, otherName, rejection, untilMs }: LearnedField): string {
  const until = new Date(untilMs).toISOString();
  const change =
    otherName === undefined ? `Dragoman leaves out ${name}` : `Dragoman sends ${otherName} and not ${name}`;
  return `${rejection}; ${change} until ${until}`;
}

export const nothingLearned: readonly LearnedField[] = [];

/** Returns the own fields of an adapter that the caller's provider options do not set. */
export function withoutOptions(fields: readonly OwnField[], options: JsonObject | undefined): readonly OwnField[] {
  if (options === undefined) return fields;
  return fields.filter(({ name }) => !Object.hasOwn(options, topLevel(name)));
}

/** Adds learned fields to others. The opposite of a new other name no longer applies. */
export function addLearned(known: readonly LearnedField[], added: readonly LearnedField[]): readonly LearnedField[] {
  return [...known.filter((field) => !added.some((one) => replaces(one, field))), ...added];
}

/** Whether a newly learned field makes a known one of the same target obsolete. */
export function replaces({ name, otherName }: LearnedField, known: LearnedField): boolean {
  return known.name === name || known.name === otherName;
}

function topLevel(name: string): string {
  const [first = ""] = name.split(".");
  return first;
}

import type { DescEnum } from "@bufbuild/protobuf";

/** Converts values of an enum to words and back, such as CALL_OUTCOME_OK and `ok`. */
export interface Words<Value extends number> {
  /** Returns the empty string for UNSPECIFIED, and a number as text for a value that this version does not know. */
  word(value: Value): string;
  value(word: string): Value;
}

/** @param separator between the parts of a word */
export function wordsOf<Value extends number>(descriptor: DescEnum, separator = "_"): Words<Value> {
  const prefix = descriptor.sharedPrefix ?? "";
  const words = new Map(
    descriptor.values
      .filter(({ number }) => number !== 0)
      .map(({ number, name }) => [number, name.slice(prefix.length).toLowerCase().replaceAll("_", separator)]),
  );
  const values = new Map([...words].map(([number, word]) => [word, number]));
  return {
    word: (value) => words.get(value) ?? (value === 0 ? "" : String(value)),
    value: (word) => (values.get(word) ?? Number(word)) as Value,
  };
}

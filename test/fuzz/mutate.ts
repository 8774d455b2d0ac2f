import fc from "fast-check";
import type { Bytes, Write } from "./shot.ts";

/** Change of some bytes. Places are fractions of the length, so that they fit any bytes. */
interface Edit {
  readonly kind: "flip" | "set" | "insert" | "remove" | "repeat" | "cut" | "swap";
  readonly place: number;
  readonly length: number;
  readonly text: Bytes;
}

const maxInsertedBytes = 200_000;

export const anyBytes = (maxLength: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString("latin1"));

const fraction = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

function edits(dictionary: readonly Bytes[]): fc.Arbitrary<readonly Edit[]> {
  const edit = fc.record({
    kind: fc.constantFrom<Edit["kind"]>("flip", "set", "insert", "insert", "remove", "repeat", "cut", "swap"),
    place: fraction,
    length: fc.oneof(fc.nat(8), fc.nat(200)),
    text: fc.oneof(fc.constantFrom(...dictionary), anyBytes(8)),
  });
  return fc.array(edit, { minLength: 1, maxLength: 4 });
}

function apply(bytes: Bytes, { kind, place, length, text }: Edit): Bytes {
  const at = Math.floor(place * bytes.length);
  const [before, after] = [bytes.slice(0, at), bytes.slice(at)];
  switch (kind) {
    case "flip":
      return before + String.fromCharCode((after.charCodeAt(0) || 0) ^ (1 << (length % 8))) + after.slice(1);
    case "set":
      return before + text + after.slice(text.length);
    case "insert":
      return before + text + after;
    case "remove":
      return before + after.slice(length);
    case "repeat":
      return before + after.slice(0, length).repeat(Math.min(1 + length, maxInsertedBytes / (length + 1))) + after;
    case "cut":
      return before;
    case "swap":
      return before + after.slice(length, 2 * length) + after.slice(0, length) + after.slice(2 * length);
    default:
      return kind satisfies never;
  }
}

/** Bytes with a few changes: bits, insertions from a dictionary, removals, repetitions, cuts. */
export function mutated(base: fc.Arbitrary<Bytes>, dictionary: readonly Bytes[]): fc.Arbitrary<Bytes> {
  return fc.tuple(base, edits(dictionary)).map(([bytes, list]) => list.reduce(apply, bytes));
}

/** Splits bytes into at most six writes. */
export function inWrites(base: fc.Arbitrary<Bytes>): fc.Arbitrary<readonly Write[]> {
  const cuts = fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(fraction, { maxLength: 5 }));
  return fc.tuple(base, cuts).map(([bytes, fractions]) => {
    const places = fractions.map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b);
    return [0, ...places].map((start, index) => ({ bytes: bytes.slice(start, places[index] ?? bytes.length) }));
  });
}

import fc from "fast-check";

/** Content of a generated response. The pieces of a text may cut a character. */
export type Block =
  | { readonly kind: "text"; readonly pieces: readonly string[] }
  | { readonly kind: "thought"; readonly pieces: readonly string[]; readonly signature: string | undefined }
  | { readonly kind: "call"; readonly id: string; readonly name: string; readonly pieces: readonly string[] }
  /** Content that only some APIs have, or none: `Writer.extras[at]` with a mark that occurs nowhere else. */
  | { readonly kind: "extra"; readonly at: number; readonly mark: string };

/** How a response ends: with the API's finish reason, at the token limit, whole but without a reason, or broken off. */
export type End = "reason" | "length" | "no reason" | "cut";

/** A response that any API could give, as far as it has the content. */
export interface Answer {
  readonly blocks: readonly Block[];
  readonly end: End;
  readonly hasUsage: boolean;
  /** Whether the events of the blocks come by turns, where the API tells which block an event is of. */
  readonly interleaved: boolean;
}

/** Writes generated responses as one provider API does. */
export interface Writer {
  readonly kinds: readonly Exclude<Block["kind"], "extra">[];
  /** Makes content with a mark, which must be carried or named in a warning. */
  readonly extras: readonly ((mark: string) => object)[];
  readonly ends: readonly End[];
  /** Whether each block is a part of its own, so that also texts can come by turns. */
  readonly hasParts?: boolean;
  /** Whether the API has arguments as an object, so that a model cannot write other JSON. */
  readonly hasObjects?: boolean;
  write(answer: Answer): string | Uint8Array;
}

const words = fc.string({ unit: "grapheme", maxLength: 12 });

/** Cuts a text at any code units, also inside a character. */
function cut(text: fc.Arbitrary<string>): fc.Arbitrary<readonly string[]> {
  return fc.tuple(text, fc.array(fc.nat({ max: 40 }), { maxLength: 3 })).map(([whole, places]) => {
    const ends = [...new Set([...places.filter((place) => place < whole.length), whole.length])].sort((a, b) => a - b);
    return ends.map((end, index) => whole.slice(ends[index - 1] ?? 0, end));
  });
}

// Most ids repeat, also within a response.
const ids = fc.oneof(
  { arbitrary: fc.constantFrom("look:0", "0"), weight: 3 },
  fc.constantFrom("functions.look:1", `call_${"x".repeat(300)}`, "é", "a|b", "call_1"),
  fc.string({ minLength: 1, maxLength: 8 }),
);
const names = fc.constantFrom("look", "find", "get_weather-2", `n${"ame".repeat(30)}`);
const objects = fc
  .dictionary(fc.string({ maxLength: 6 }), fc.oneof(words, fc.integer(), fc.boolean(), fc.constant(null)), {
    maxKeys: 3,
  })
  .map((value) => JSON.stringify(value));
const oddArguments = fc.constantFrom("", "null", "[1]", '{"x":"1', "look!", '"{}"', '{"a":12345678901234567890}');

const blocks = {
  text: fc.record({ kind: fc.constant("text" as const), pieces: cut(words) }),
  thought: fc.record({
    kind: fc.constant("thought" as const),
    pieces: cut(words),
    signature: fc.option(fc.base64String({ minLength: 4, maxLength: 12 }), { nil: undefined }),
  }),
  call: (hasObjects: boolean) =>
    fc.record({
      kind: fc.constant("call" as const),
      id: ids,
      name: names,
      pieces: cut(hasObjects ? objects : fc.oneof(objects, oddArguments)),
    }),
};

/** Generates responses that a writer can write. */
export function answersOf({ kinds, extras, ends, hasObjects = false }: Writer): fc.Arbitrary<Answer> {
  const known = kinds.map((kind) => (kind === "call" ? blocks.call(hasObjects) : blocks[kind]));
  const extra = fc.record({ kind: fc.constant("extra" as const), at: fc.nat({ max: Math.max(0, extras.length - 1) }) });
  const block: fc.Arbitrary<Block | { readonly kind: "extra"; readonly at: number }> =
    extras.length > 0 ? fc.oneof(...known, extra) : fc.oneof(...known);
  return fc.record({
    blocks: fc
      .array(block, { maxLength: 7 })
      .map((list) => list.map((item, index) => (item.kind === "extra" ? { ...item, mark: `mark000${index}` } : item))),
    end: fc.constantFrom(...ends),
    hasUsage: fc.boolean(),
    interleaved: fc.boolean(),
  });
}

/** Returns the events of all blocks: one block after the other, or by turns. */
export function arranged<Event>({ interleaved }: Answer, blocks: readonly (readonly Event[])[]): readonly Event[] {
  if (!interleaved) return blocks.flat();
  const rounds = Math.max(0, ...blocks.map((events) => events.length));
  return Array.from({ length: rounds }, (_, round) =>
    blocks.flatMap((events) => events.slice(round, round + 1)),
  ).flat();
}

/** Returns the finish reason of a response in an API's words. */
export function reasonOf(
  { blocks, end }: Answer,
  words: Readonly<Record<"stop" | "calls" | "length", string>>,
): string {
  if (end === "length") return words.length;
  return blocks.some(({ kind }) => kind === "call") ? words.calls : words.stop;
}

/** Returns the whole text of a block. */
export const wholeOf = ({ pieces }: { readonly pieces: readonly string[] }): string => pieces.join("");

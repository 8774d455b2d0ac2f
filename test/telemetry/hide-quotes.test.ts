import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageSchema, Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { hideQuotes } from "../../src/telemetry/hide-quotes.ts";

const says = (...texts: readonly string[]) =>
  texts.map((text) => create(MessageSchema, { role: Role.USER, parts: [{ kind: { case: "text", value: text } }] }));

const letters = (most: number) => fc.string({ unit: fc.constantFrom("a", "b"), maxLength: most });

/** Returns the longest run of characters that both texts have. */
function longestRun(one: string, other: string): number {
  let longest = 0;
  for (let start = 0; start < one.length; start++) {
    while (other.includes(one.slice(start, start + longest + 1)) && start + longest < one.length) longest++;
  }
  return longest;
}

describe("quotations of a prompt", () => {
  it("are replaced, and the provider's own words stay", () => {
    const prompt = "My account number is 7734-1234 and I want to know my balance.";
    const words = `messages[0]: "My account number is 7734-1234" is not allowed (code 17)`;
    expect(hideQuotes(words, says(prompt))).toBe('messages[0]: "[prompt]" is not allowed (code 17)');
  });

  it("are replaced where a short message is quoted as a whole", () => {
    expect(hideQuotes("cannot read 7734-1234, see 7734-1234", says("7734-1234"))).toBe(
      "cannot read [prompt], see [prompt]",
    );
  });

  it("are found in tool calls and their results", () => {
    const message = create(MessageSchema, {
      parts: [
        { kind: { case: "toolCall", value: { id: "a-long-id-of-a-call", argumentsJson: '{"city":"Timbuktu"}' } } },
      ],
    });
    expect(hideQuotes('a-long-id-of-a-call: {"city":"Timbuktu"}', [message])).toBe("a-long-id-of-a-call: [prompt]");
  });

  it("leave no run of 15 characters, whatever the texts", () => {
    fc.assert(
      fc.property(letters(60), letters(60), letters(60), (words, first, second) => {
        const shown = hideQuotes(words, says(first, second));
        for (const rest of shown.split("[prompt]")) {
          for (const prompt of [first, second]) expect(longestRun(rest, prompt)).toBeLessThan(15);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("do not change a text that quotes nothing", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 500 }), fc.string({ maxLength: 500 }), (words, prompt) => {
        fc.pre(longestRun(words, prompt) < 8);
        expect(hideQuotes(words, says(prompt))).toBe(words);
      }),
    );
  });

  it.each([
    ["a large prompt", "x".repeat(300 * 1024)],
    ["a prompt that is as much work as possible", "a".repeat(200 * 1024)],
  ])("are not searched in %s: the text is hidden", (_, prompt) => {
    expect(hideQuotes("a".repeat(500), says(prompt))).toBe("[not shown: the prompt is too large to compare]");
  });
});

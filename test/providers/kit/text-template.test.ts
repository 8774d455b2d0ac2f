import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TextTemplate } from "../../../src/providers/kit/text-template.ts";

const textIn = (json: string): string | undefined => JSON.parse(json).delta?.content;
const chunk = (content: string, rest: object = {}) => JSON.stringify({ id: "c1", delta: { content }, ...rest });

function learned(json: string): TextTemplate {
  const template = new TextTemplate();
  template.learn(json, textIn(json) ?? "", textIn);
  return template;
}

describe("TextTemplate", () => {
  it("reads any text as JSON.parse does, or not at all", () => {
    const template = learned(chunk("Hi"));
    fc.assert(
      fc.property(fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }), (text) => {
        expect([text === "" ? undefined : text]).toContain(template.textOf(chunk(text)));
      }),
    );
    expect(template.textOf(chunk("Hi"))).toBe("Hi");
    expect(template.textOf(chunk('a "quoted"\n\u2028 \\ text'))).toBe('a "quoted"\n\u2028 \\ text');
    expect(template.textOf('{"id":"c1","delta":{"content":"\\u00e9\\ud83d"}}')).toBe("é\ud83d");
  });

  it("does not read JSON that is invalid, or differs in more than the text", () => {
    const template = learned(chunk("Hi"));
    for (const json of [
      chunk(""),
      chunk("Hi", { id: "c2" }),
      chunk("Hi", { usage: null }),
      '{"id":"c1","delta":{"content":"Hi","refusal":"No"}}',
      '{"id":"c1","delta":{"content":"a"b"}}',
      '{"id":"c1","delta":{"content":"a\\"}}',
      '{"id":"c1","delta":{"content":"\\x"}}',
      '{"id":"c1","delta":{"content":"a\nb"}}',
    ]) {
      expect(template.textOf(json), json).toBeUndefined();
    }
  });

  it("learns nothing if the same characters are only at another place", () => {
    for (const json of ['{"Hi":1,"delta":{"content":"\\u0048i"}}', '{"delta":{"content":"\\u0048i"},"name":"Hi"}']) {
      const template = learned(json);
      expect(textIn(json)).toBe("Hi");
      expect(template.textOf(json)).toBeUndefined();
    }
  });

  it("ignores OpenAI's padding", () => {
    const template = learned(chunk("Hi", { obfuscation: "aB3" }));
    expect(template.textOf(chunk("there", { obfuscation: "x" }))).toBe("there");
    expect(template.textOf(chunk("there", { obfuscation: { a: 1 } }))).toBeUndefined();
  });

  it("stops learning if nothing matches, and goes on after a match", () => {
    const template = new TextTemplate();
    const learn = (id: number) => template.learn(chunk("Hi", { id }), "Hi", textIn);
    for (let id = 0; id < 4; id++) learn(id);
    expect(template.textOf(chunk("there", { id: 3 }))).toBe("there");
    for (let id = 4; id < 9; id++) learn(id);
    expect(template.textOf(chunk("there", { id: 8 }))).toBeUndefined();
  });
});

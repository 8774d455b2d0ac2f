import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nameField } from "../../../src/surfaces/kit/field-names.ts";

const names = {
  messages: "turns",
  "messages.*.parts": "turns.*.content",
  "messages.*.parts.*.media": "turns.*.content.*",
  "parameters.top_p": "sampling.topP",
};

describe("a surface's name for a field", () => {
  it.each([
    ["chat.messages", "turns"],
    ["chat.messages[7].role", "turns.7.role"],
    ["chat.messages[7].parts[12].media", "turns.7.content.12"],
    ["chat.messages[7].parts[12].text", "turns.7.content.12.text"],
    ["parameters.top_p", "sampling.topP"],
    ["chat.parameters.top_k", "parameters.top_k"],
    ['chat.parameters.logit_bias["50256"]', "parameters.logit_bias.50256"],
    ["chat.constructor", "constructor"],
  ])("of %s is %s", (path, expected) => {
    expect(nameField(names, path)).toBe(expected);
  });

  it("is the same with and without `chat.`, and keeps every index in its place", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (message, part) => {
        const path = `messages[${message}].parts[${part}].media.url`;
        expect(nameField(names, `chat.${path}`)).toBe(`turns.${message}.content.${part}.url`);
        expect(nameField(names, path)).toBe(nameField(names, `chat.${path}`));
      }),
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDotted } from "../../../src/field-path.ts";
import { nameField } from "../../../src/surfaces/kit/field-names.ts";
import { toPath } from "../../support/paths.ts";

const names = {
  messages: "turns",
  "messages.*.parts": "turns.*.content",
  "messages.*.parts.*.media": "turns.*.content.*",
  "parameters.top_p": "sampling.topP",
};

describe("body paths of ChatRequest fields", () => {
  it.each([
    ["messages", "turns"],
    ["messages[7].role", "turns.7.role"],
    ["messages[7].parts[12].media", "turns.7.content.12"],
    ["messages[7].parts[12].text", "turns.7.content.12.text"],
    ["parameters.top_p", "sampling.topP"],
    ["parameters.top_k", "parameters.top_k"],
    ['parameters.logit_bias["50256"]', "parameters.logit_bias.50256"],
    ["constructor", "constructor"],
  ])("maps the field %s to %s", (path, expected) => {
    expect(formatDotted(nameField(names, toPath(path)))).toBe(expected);
  });

  it("keeps the order of indexes in a path", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (message, part) => {
        const path = ["messages", message, "parts", part, "media", "url"];
        expect(nameField(names, path)).toEqual(["turns", message, "content", part, "url"]);
      }),
    );
  });
});

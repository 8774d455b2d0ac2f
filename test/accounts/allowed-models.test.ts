import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AllowedModels } from "../../src/accounts/allowed-models.ts";
import { matchesGlob } from "../../src/accounts/glob.ts";
import type { GatewayError } from "../../src/errors.ts";

/** The meaning of a pattern as a regular expression. */
function meansThat(pattern: string, text: string): boolean {
  const escaped = pattern.split("*").map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  return new RegExp(`^${escaped.join("[^]*")}$`, "u").test(text);
}

const fewLetters = (max: number, letters: string[]) =>
  fc.array(fc.constantFrom(...letters), { maxLength: max }).map((list) => list.join(""));

describe("a pattern", () => {
  it("matches what the same regular expression matches", () => {
    fc.assert(
      fc.property(fewLetters(8, ["a", "b", ".", "*"]), fewLetters(12, ["a", "b", "."]), (pattern, text) => {
        expect(matchesGlob(pattern, text)).toBe(meansThat(pattern, text));
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ["gpt-*", "gpt-5.5", true],
    ["gpt-*", "openai/gpt-5.5", false],
    ["*", "", true],
    ["a*a", "a", false],
    ["*/gpt-*-mini", "openai/gpt-5-mini", true],
    ["deployments/*", "deployments/bot", true],
  ])("%s on %s: %s", (pattern, text, matches) => expect(matchesGlob(pattern, text)).toBe(matches));

  it("takes no exponential time for many stars", () => {
    expect(matchesGlob("*a".repeat(128), "a".repeat(127) + "b".repeat(100_000))).toBe(false);
  });
});

describe("the models that a call may request", () => {
  const failure = (models: AllowedModels, name: string): GatewayError | undefined => {
    try {
      models.require(name);
      return undefined;
    } catch (error) {
      return error as GatewayError;
    }
  };

  it("are those that both the key and its account allow", () => {
    const models = new AllowedModels({ models: ["gpt-*", "claude-*"] }, { id: "billing", models: ["*-mini"] });
    expect(failure(models, "gpt-5-mini")).toBeUndefined();
    expect(failure(models, "gpt-5")).toMatchObject({
      reason: "MODEL_NOT_ALLOWED",
      message: "the account billing does not allow the model gpt-5; it allows *-mini",
    });
    expect(failure(models, "o5-mini")?.message).toBe(
      "the API key does not allow the model o5-mini; it allows gpt-*, claude-*",
    );
    expect(models.hasOneOf(["openai/gpt-5-mini", "gpt-5-mini"])).toBe(true);
    expect(models.hasOneOf(["openai/gpt-5-mini"])).toBe(false);
  });

  it.each([undefined, [], ["*"], ["a", "*"]])("are all for the patterns %j", (patterns) => {
    expect(failure(new AllowedModels({ models: patterns }, { id: "a", models: patterns }), "anything")).toBeUndefined();
  });

  it("are named up to a bound", () => {
    const patterns = Array.from({ length: 200 }, (_, index) => `model-${index}`);
    const error = failure(new AllowedModels({ models: patterns }, undefined), "other");
    expect(error?.message.length).toBeLessThan(200);
    expect(error?.facts.metadata).toMatchObject({ model: "other", allowed: expect.stringContaining("and 192 more") });
  });
});

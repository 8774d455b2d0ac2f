import fc from "fast-check";
import { expect, it } from "vitest";
import { judge, type Seen } from "../../../bench/routing/judge.ts";
import { textOf } from "../../../bench/routing/texts.ts";

const expected = textOf(7, 8);
const whole: Seen = { text: expected, finishReason: "stop", error: undefined, left: false };

it("calls only the whole and exact text with the finish reason stop complete", () => {
  expect(judge(whole, expected)).toEqual({ verdict: "complete", detail: "" });
  fc.assert(
    fc.property(fc.string(), fc.constantFrom("stop", "length", null, undefined), (text, finishReason) => {
      const { verdict } = judge({ ...whole, text, finishReason }, expected);
      expect(verdict).toBe(text === expected && finishReason === "stop" ? "complete" : "looks_whole");
    }),
  );
});

it("finds each cut of a text that ends without an error", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: expected.length - 1 }), (length) => {
      const seen = { ...whole, text: expected.slice(0, length) };
      expect(judge(seen, expected)).toEqual({ verdict: "looks_whole", detail: "cut" });
    }),
  );
});

it("finds repeated, missing and foreign deltas", () => {
  expect(judge({ ...whole, text: expected + expected }, expected).detail).toBe("more than the text");
  expect(judge({ ...whole, text: textOf(8, 8) }, expected).detail).toBe("other text");
  expect(judge({ ...whole, text: expected.replace("c7d3 ", "") }, expected).detail).toBe("other text");
  expect(judge({ ...whole, text: undefined }, expected).detail).toBe("no text");
  expect(judge({ ...whole, finishReason: null }, expected).detail).toBe("whole text, no finish reason");
});

it("calls every error an error, whatever text came before it", () => {
  fc.assert(
    fc.property(fc.option(fc.constantFrom(expected, "c7d0 "), { nil: undefined }), (text) => {
      const seen = { ...whole, text, error: "503 server_error" };
      expect(judge(seen, expected)).toEqual({ verdict: "error", detail: "503 server_error" });
    }),
  );
});

it("never takes a call that the caller left for complete or failed", () => {
  fc.assert(
    fc.property(fc.boolean(), (failed) => {
      const seen = { ...whole, error: failed ? "AbortError" : undefined, left: true };
      expect(judge(seen, expected).verdict).toBe("left");
    }),
  );
});

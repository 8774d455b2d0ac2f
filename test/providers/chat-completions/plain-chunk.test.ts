import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { endEvents, toEvents } from "../../../src/providers/chat-completions/events.ts";
import { plainChunk } from "../../../src/providers/chat-completions/plain-chunk.ts";
import { emptyAnswer } from "./harness.ts";

/** Returns the events of a stream of chunks, with its response id or its failure. */
function outcomeOf(chunks: readonly object[]): unknown {
  const state = emptyAnswer();
  const batch: ChatEvent[] = [];
  try {
    for (const chunk of chunks) toEvents(state, { data: JSON.stringify(chunk) }, batch);
    endEvents(state, batch);
  } catch {
    return [batch, "failed"];
  }
  return [batch, state.call.attempt.providerResponseId];
}

const text = fc.string({ maxLength: 3 });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 3 });
const record = <T extends object>(fields: { [Name in keyof T]: fc.Arbitrary<T[Name]> }) =>
  fc.record(fields, { requiredKeys: [] });
const delta = record({
  role: fc.constant("assistant"),
  content: fc.oneof({ weight: 8, arbitrary: text }, maybe(fc.constantFrom<unknown>(7, [], [{ text: "a" }]))),
  reasoning: maybe(text),
  reasoning_content: maybe(text),
  refusal: maybe(text),
  tool_calls: maybe(fc.constant([])),
});
const choice = record({
  index: fc.oneof({ weight: 8, arbitrary: fc.nat({ max: 2 }) }, fc.constantFrom<unknown>(null, -1, 0.5, "0")),
  delta: fc.oneof({ weight: 8, arbitrary: delta }, fc.constantFrom(null, [])),
  finish_reason: maybe(fc.constantFrom("stop", "error", "")),
  logprobs: maybe(fc.constant({ content: [{ token: "a", logprob: -1 }] })),
  matched_stop: maybe(fc.constantFrom<unknown>("END", 7)),
  error: maybe(fc.constant({ message: "broken" })),
  strange: text,
});
const chunk = record({
  id: maybe(fc.constantFrom("c1", "c2")),
  object: fc.constant("chat.completion.chunk"),
  created: fc.nat(),
  choices: fc.oneof({ weight: 8, arbitrary: fc.array(choice, { maxLength: 2 }) }, fc.constant(null)),
  usage: maybe(fc.constant({ prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 })),
  service_tier: maybe(fc.constantFrom("default", "flex")),
  system_fingerprint: maybe(fc.constantFrom("fp_1", "fp_2")),
  time_info: maybe(fc.constant({ total_time: 1 })),
});

// A `message` next to the choices has no effect, but forces the schema validation.
const longWay = (chunks: readonly object[]) => chunks.map((one) => ({ ...one, message: "beside" }));
const withChoices = fc.array(
  chunk.filter(({ choices }) => choices !== null && choices !== undefined),
  { maxLength: 6 },
);

/** Returns a chunk with another text in each choice that has one. */
function withText(one: object, content: string): object {
  return JSON.parse(JSON.stringify(one), (name, value) => (name === "content" && value ? content : value));
}

describe("a chunk with only text", () => {
  it("yields the same events for a chunk with and without schema validation", () => {
    fc.assert(
      fc.property(withChoices, (chunks) => {
        expect(outcomeOf(chunks)).toEqual(outcomeOf(longWay(chunks)));
      }),
      { numRuns: 1000 },
    );
  });

  it("yields the same events for chunks that differ only in their texts", () => {
    const repeated = fc.tuple(withChoices, fc.array(text, { minLength: 1, maxLength: 4 }));
    fc.assert(
      fc.property(repeated, ([kinds, texts]) => {
        const chunks = kinds.flatMap((one) => texts.map((content) => withText(one, content)));
        expect(outcomeOf(chunks)).toEqual(outcomeOf(longWay(chunks)));
      }),
      { numRuns: 1000 },
    );
  });

  it("skips validation of OpenAI's text chunks after the first chunk", () => {
    const state = emptyAnswer();
    const choices = [{ index: 0, delta: { content: "Par" }, logprobs: null, finish_reason: null }];
    const openAi = {
      id: "c1",
      object: "chat.completion.chunk",
      service_tier: "default",
      system_fingerprint: "fp_1",
      choices,
    };
    expect(plainChunk(openAi, state)).toBeUndefined();
    toEvents(state, { data: JSON.stringify(openAi) }, []);
    expect(plainChunk(openAi, state)).toEqual({ index: 0, text: "Par" });
    expect(plainChunk({ ...openAi, object: "error" }, state)).toBeUndefined();
    expect(plainChunk({ ...openAi, usage: null, obfuscation: "x" }, state)).toEqual({ index: 0, text: "Par" });
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Dialect, type Form, formsOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { cutInto, expectCompletion, run, startStage } from "./run.ts";
import { answersOf } from "./suite.ts";

/** Number of random ways to split each response into reads, in addition to every single split of the plain text. */
const randomCuts = 25;

// Provider APIs with the same reader share its code, so only the first of them is tested.
for (const [reader, [dialect]] of Map.groupBy(dialects, ({ reader }) => reader)) {
  if (dialect === undefined) continue;
  for (const form of formsOf(dialect)) describe(`the reader of ${reader}, ${form}`, () => describeCuts(dialect, form));
}

function describeCuts(dialect: Dialect, form: Form): void {
  const answers = answersOf(dialect, form);
  const [{ entry, request, wire } = expect.fail("the provider API has no plain text case")] = answers;
  const bytes = Buffer.from(wire);

  it("returns the same completion for random splits into reads", async () => {
    for (const { entry, request, wire } of answers) {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat({ max: Buffer.from(wire).length }), { maxLength: 6 }), async (places) => {
          await using stage = await startStage(dialect, form, cutInto(wire, places));
          expectCompletion(await run(stage, dialect, form, request), entry);
        }),
        { numRuns: randomCuts },
      );
    }
  }, 60_000);

  it("returns the same completion for every split into two reads", async () => {
    const cuts = Array.from({ length: bytes.length - 1 }, (_, index) => cutInto(wire, [index + 1]));
    await using stage = await startStage(dialect, form, ...cuts);
    for (const _ of cuts) expectCompletion(await run(stage, dialect, form, request), entry);
  }, 60_000);

  if (form === "whole") {
    it("rejects a response truncated at any byte", async () => {
      const beginnings = bytes.keys().map((length) => ({ steps: [{ write: bytes.subarray(0, length) }] }));
      await using stage = await startStage(dialect, form, ...beginnings);
      for (const _ of bytes) {
        const { events, error } = await run(stage, dialect, form, request);
        expect(events).not.toContain("completed");
        expect(error?.reason).toMatch(/^PROVIDER_/);
      }
    }, 60_000);
  }
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Dialect, type Form, formsOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { cutInto, expectCompletion, run, startStage } from "./run.ts";
import { answersOf } from "./suite.ts";

/** How many random ways of cutting an answer into reads are tried, beside every single cut. */
const randomCuts = 25;

// Dialects that share a reader share its code, so that the first of them is cut for all.
for (const [reader, [dialect]] of Map.groupBy(dialects, ({ reader }) => reader)) {
  if (dialect === undefined) continue;
  for (const form of formsOf(dialect)) describe(`the reader of ${reader}, ${form}`, () => describeCuts(dialect, form));
}

function describeCuts(dialect: Dialect, form: Form): void {
  const answers = answersOf(dialect, form);
  const [{ entry, request, wire } = expect.fail("a dialect has plain text")] = answers;
  const bytes = Buffer.from(wire);

  it("means the same however the bytes are cut into reads", async () => {
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

  it("means the same for every single cut", async () => {
    const cuts = Array.from({ length: bytes.length - 1 }, (_, index) => cutInto(wire, [index + 1]));
    await using stage = await startStage(dialect, form, ...cuts);
    for (const _ of cuts) expectCompletion(await run(stage, dialect, form, request), entry);
  }, 60_000);

  if (form === "whole") {
    it("is no answer if it ends at any place before its end", async () => {
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

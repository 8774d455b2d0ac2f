import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FrameKind, headerBytes, readFrames, sealFrame } from "../../../src/ledger/outbox/frame.ts";

const payload = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const kind = fc.constantFrom<FrameKind>("mark", "record");
const frames = fc.array(fc.record({ kind, payload }), { maxLength: 8 });

function toFrame({ kind, payload }: { readonly kind: FrameKind; readonly payload: Buffer }): Buffer {
  const frame = Buffer.concat([Buffer.alloc(headerBytes), payload]);
  sealFrame(frame, kind);
  return frame;
}

const found = (bytes: Buffer, isEnd: boolean) =>
  readFrames(bytes, isEnd).frames.map(({ kind, payload }) => ({ kind, payload: Buffer.from(payload) }));

describe("the frames of a segment", () => {
  it("reads back what was written, cut at any byte", () => {
    fc.assert(
      fc.property(frames, fc.boolean(), (written, isEnd) => {
        const parts = written.map(toFrame);
        const whole = Buffer.concat(parts);
        let complete = 0;
        let at = 0;
        for (let cut = 0; cut <= whole.length; cut++) {
          while (complete < parts.length && at + (parts[complete]?.length ?? 0) <= cut)
            at += parts[complete++]?.length ?? 0;
          const read = readFrames(whole.subarray(0, cut), isEnd);
          expect(read.frames).toHaveLength(complete);
          expect([read.end, read.skipped]).toEqual(isEnd ? [cut, cut - at] : [at, 0]);
        }
        expect(found(whole, isEnd)).toEqual(written);
      }),
      { numRuns: 50 },
    );
  });

  it("skips damaged bytes to the next valid frame, and counts them", () => {
    fc.assert(
      fc.property(
        frames.filter(({ length }) => length > 1),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (written, place, change) => {
          const parts = written.map(toFrame);
          const bytes = Buffer.concat(parts);
          const at = place % bytes.length;
          bytes[at] = (bytes[at] ?? 0) ^ change;
          const damaged = parts.findIndex((_, index) => at < Buffer.concat(parts.slice(0, index + 1)).length);
          const read = readFrames(bytes, true);
          const skipped = read.frames.reduce((sum, frame) => sum + frame.skipped, read.skipped);
          expect(found(bytes, true)).toEqual(written.toSpliced(damaged, 1));
          expect(skipped).toBe(parts[damaged]?.length);
        },
      ),
    );
  });

  it("skips inserted bytes of any length, also those that look like a frame", () => {
    fc.assert(
      fc.property(frames, fc.uint8Array({ maxLength: 100 }), fc.nat(), (written, noise, place) => {
        const parts = written.map(toFrame);
        const torn = toFrame({ kind: "record", payload: Buffer.alloc(200, "x") }).subarray(0, 40);
        parts.splice(place % (parts.length + 1), 0, Buffer.from(noise), torn);
        expect(found(Buffer.concat(parts), true)).toEqual(written);
      }),
    );
  });
});

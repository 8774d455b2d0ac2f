import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import { expect, it } from "vitest";
import { Backoff } from "../../src/workers/backoff.ts";
import { passLines } from "../../src/workers/whole-lines.ts";

it("passes on whole lines, however the output of a worker is cut", async () => {
  const text = '{"msg":"größer"}\n\n{"msg":"two"}\nthe end without a line feed';
  const bytes = Buffer.from(text);
  for (let size = 1; size < bytes.length; size++) {
    const stream = new PassThrough();
    const passed: string[] = [];
    passLines(stream, (lines) => passed.push(lines.toString()));
    for (let at = 0; at < bytes.length; at += size) stream.write(bytes.subarray(at, at + size));
    stream.end();
    await finished(stream);
    expect(passed.join("")).toBe(`${text}\n`);
    expect(passed.filter((lines) => !lines.endsWith("\n"))).toEqual([]);
  }
});

it("waits longer before each start of a worker that does not last, up to 30 s", () => {
  const backoff = new Backoff();
  expect(Array.from({ length: 11 }, () => backoff.next(5))).toEqual([
    ...[100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600],
    ...[30_000, 30_000],
  ]);
  expect(backoff.next(60_000)).toBe(100);
});

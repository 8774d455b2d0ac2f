import { describe, expect, it } from "vitest";
import { createCallId } from "../../src/calls/call-id.ts";

describe("ids of calls", () => {
  it("are a prefix and the digits of a UUID of version 7", () => {
    const id = createCallId("chatcmpl-", Date.parse("2026-11-29T12:00:00.123Z"));
    expect(id).toMatch(/^chatcmpl-[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
    expect(Number.parseInt(id.slice(9, 21), 16)).toBe(Date.parse("2026-11-29T12:00:00.123Z"));
  });

  it("sort by time, and differ within a millisecond", () => {
    const ids = [1, 2 ** 32, 2 ** 41].map((now) => createCallId("", now));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(Array.from({ length: 10_000 }, () => createCallId("", 1))).size).toBe(10_000);
  });
});

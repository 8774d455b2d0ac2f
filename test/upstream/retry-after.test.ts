import { describe, expect, it } from "vitest";
import { retryAfterMs } from "../../src/upstream/retry-after.ts";

describe("the time to wait", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  it.each([
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": "1.5" }, 1_500],
    [{ "retry-after": "Thu, 01 Jan 2026 00:00:03 GMT" }, 3_000],
    [{ "retry-after": "Thu, 01 Jan 2025 00:00:03 GMT" }, 0],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "-3" }, undefined],
    [{ "retry-after-ms": "12.5", "retry-after": "9" }, 13],
    [{}, undefined],
  ])("reads the retry delay from %j as %s ms", (headers: Record<string, string>, expected) => {
    expect(retryAfterMs((name) => headers[name], now)).toBe(expected);
  });
});

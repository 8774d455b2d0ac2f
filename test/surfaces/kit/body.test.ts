import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseBody } from "../../../src/surfaces/kit/body.ts";
import { decodeBase64, mediaSource } from "../../../src/surfaces/kit/data-uri.ts";

describe("a JSON body", () => {
  it("keeps every integer exact", () => {
    const wide = fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n });
    fc.assert(
      fc.property(wide, (value) => {
        expect(String(parseBody(String(value)))).toBe(String(value));
      }),
    );
  });

  it("has a bigint only where a number would round", () => {
    expect(parseBody("[1, -0.5, 9007199254740991, 9007199254740992, 1e300]")).toEqual([
      ...[1, -0.5, 9007199254740991, 9007199254740992n, 1e300],
    ]);
  });

  it("is otherwise what JSON.parse makes of it", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const rounded = JSON.stringify(parseBody(text), (_key, value) =>
          typeof value === "bigint" ? Number(value) : value,
        );
        expect(JSON.parse(rounded)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("that is nested without end is rejected, and does not end the process", () => {
    expect(() => parseBody("[".repeat(200_000))).toThrow("nest more than 128 levels");
  });
});

describe("base64", () => {
  it("gives the bytes back", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = Buffer.from(bytes).toString("base64");
        expect(decodeBase64(text)).toEqual(Buffer.from(bytes));
        expect(mediaSource(`data:image/png;name=a.png;base64,${text}`)).toEqual({
          source: { case: "data", value: Buffer.from(bytes) },
          mediaType: "image/png",
        });
      }),
    );
  });

  it.each(["A", "A===", "=AAA", "AA=A", "AA A", "AA-_", "AAAA\n"])("is not %j", (text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });

  it("of many megabytes is read", () => {
    expect(decodeBase64("AAAA".repeat(4 * 1024 * 1024))).toHaveLength(12 * 1024 * 1024);
  });
});

describe("an address of a medium", () => {
  it.each([
    "https://images.example/a.png",
    "gs://bucket/a",
    "data:text/plain,hello",
    "data:image/png;base64,A",
    "a,b;base64",
  ])("stays one: %s", (address) => {
    expect(mediaSource(address)).toEqual({ source: { case: "url", value: address } });
  });
});

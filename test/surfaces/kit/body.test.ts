import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseBody as parse } from "../../../src/surfaces/kit/body.ts";
import { decodeBase64, mediaSource } from "../../../src/surfaces/kit/data-uri.ts";

const parseBody = (text: string) => parse(text, 250_000);

describe("a JSON body", () => {
  it("keeps all digits of integers", () => {
    const wide = fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n });
    fc.assert(
      fc.property(wide, (value) => {
        expect(String(parseBody(String(value)))).toBe(String(value));
      }),
    );
  });

  it("returns a bigint only for integers that a number would round", () => {
    expect(parseBody("[1, -0.5, 9007199254740991, 9007199254740992, 1e300]")).toEqual([
      ...[1, -0.5, 9007199254740991, 9007199254740992n, 1e300],
    ]);
  });

  it("parses all other values like JSON.parse", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const rounded = JSON.stringify(parseBody(text), (_key, value) =>
          typeof value === "bigint" ? Number(value) : value,
        );
        expect(JSON.parse(rounded)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("rejects 200,000 nested lists without a stack overflow", () => {
    expect(() => parseBody("[".repeat(200_000))).toThrow("nest more than 128 levels");
  });
});

describe("base64", () => {
  it("decodes base64 text and data URIs to their bytes", () => {
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

  it.each(["A", "A===", "=AAA", "AA=A", "AA.A"])("rejects %j as base64", (text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });

  it.each([
    ["line breaks", "AAECAwQFBgcI\r\nCQoLDA0ODw==\n", 16],
    ["no padding", "AAECAwQFBgcICQoLDA0ODw", 16],
    ["the URL alphabet", "-_-_", 3],
    ["spaces", " AA E= ", 2],
  ])("understands base64 with %s", (_, text, length) => {
    expect(decodeBase64(text)).toHaveLength(length);
    expect(mediaSource(`data:IMAGE/PNG;base64,${text}`)).toMatchObject({ source: { case: "data" } });
    expect(mediaSource(`data:image/png;base64,${encodeURIComponent(text)}`)).toMatchObject({
      source: { case: "data" },
    });
  });

  it("decodes megabytes of base64 without a stack overflow", () => {
    expect(decodeBase64("AAAA".repeat(4 * 1024 * 1024))).toHaveLength(12 * 1024 * 1024);
  });
});

describe("media URLs", () => {
  it.each([
    "https://images.example/a.png",
    "gs://bucket/a",
    "data:image/png;base64,A",
    "a,b;base64",
  ])("keeps %s as a URL", (url) => {
    expect(mediaSource(url)).toEqual({ source: { case: "url", value: url } });
  });

  it("decodes a data: URL without base64", () => {
    const source = { case: "data", value: Buffer.from("hello world") };
    expect(mediaSource("data:text/markdown,hello%20world")).toEqual({ source, mediaType: "text/markdown" });
  });
});

describe("escapes of surrogate pairs in a body", () => {
  it("are characters if both halves are there", () => {
    const text = String.raw`{"a":"\ud83d\ude00","b":"\\ud83d"}`;
    expect(parseBody(text)).toEqual({ a: "😀", b: String.raw`\ud83d` });
  });

  it.each([
    [String.raw`{"a":[{"b":"x\ud83d"}]}`, "a.0.b"],
    [String.raw`{"a":"\uDE00\uD83D"}`, "a"],
  ])("are rejected with their field in %s", (text, field) => {
    expect(() => parseBody(text)).toThrow(`${field}: has half of a surrogate pair`);
  });
});

import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Column, columnCount, layOut, printable } from "../../src/cli/table.ts";

const left = (title: string, cells: readonly string[], more: Partial<Column> = {}): Column => ({
  ...{ title, align: "left", cells },
  ...more,
});
const right = (title: string, cells: readonly string[], more: Partial<Column> = {}): Column => ({
  ...{ title, align: "right", cells },
  ...more,
});

describe("a table in the terminal", () => {
  it("aligns texts to the left and numbers to the right", () => {
    const columns = [left("model", ["a", "long-name"]), right("calls", ["1", "12,345,678"])];
    expect(layOut(columns, undefined)).toEqual([
      "model           calls",
      "a                   1",
      "long-name  12,345,678",
    ]);
  });

  it("shows short cells, and then cuts the longest names in the middle, if it is too wide", () => {
    const columns = [
      left("account", ["billing"], { isCut: true }),
      left("model", ["anthropic/claude-sonnet-5-20260101"], { isCut: true }),
      right("input", ["12,345,678"], { shortCells: ["12.3M"] }),
    ];
    expect(layOut(columns, 50)).toEqual([
      "account  model                               input",
      "billing  anthropic/claude-sonnet-5-20260101  12.3M",
    ]);
    expect(layOut(columns, 36)).toEqual([
      "account  model                 input",
      "billing  anthropic/…-20260101  12.3M",
    ]);
  });

  it("cuts no name to less than 8 columns or its title", () => {
    const columns = [
      left("a", ["0123456789abc"], { isCut: true }),
      left("a long title", ["0123456789abc"], { isCut: true }),
    ];
    expect(layOut(columns, 10)).toEqual(["a         a long title", "0123…abc  012345…89abc"]);
  });

  it("counts characters of East Asia and emoji as two columns, and never halves one", () => {
    const columns = [
      left("name", ["模型模型模型模型", "👩‍👩‍👧 family-model"], { isCut: true }),
      right("n", ["1", "2"]),
    ];
    expect(layOut(columns, 14)).toEqual(["name         n", "模型…模型    1", "👩‍👩‍👧 fa…model  2"]);
  });

  it("fits every line into the width whenever names can be cut", () => {
    const names = fc.string({ unit: "grapheme", maxLength: 60 });
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 5 }), fc.integer({ min: 24, max: 90 }), (cells, width) => {
        const numbers = cells.map((_, index) => String(index));
        const lines = layOut([left("name", cells, { isCut: true }), right("n", numbers)], width);
        expect(lines).toHaveLength(cells.length + 1);
        for (const line of lines) expect(columnCount(line)).toBeLessThanOrEqual(width);
      }),
    );
  });

  it("prints no character that a terminal obeys", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const shown = printable(text);
        expect(stripVTControlCharacters(shown)).toBe(shown);
        expect(shown.replaceAll("\u200d", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }),
    );
    expect(printable("a\u001b[31mb\u009b31m\u202ec\r\n")).toBe("a\ufffd[31mb\ufffd31m\ufffdc\ufffd\ufffd");
  });
});

import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { WarningSchema } from "../../../src/gen/dragoman/v1/warning_pb.js";
import { formatWarnings } from "../../../src/surfaces/kit/warnings.ts";

const list = z.array(z.strictObject({ reason: z.string(), field: z.string(), message: z.string() }));
const warning = fc.record({
  reason: fc.constantFrom("UNSUPPORTED_PARAMETER", "ADJUSTED"),
  field: fc.constantFrom("", "parameters.top_k"),
  message: fc.string({ unit: "binary", maxLength: 400 }),
});

describe("warnings in a header", () => {
  it("formats no warnings as undefined", () => {
    expect(formatWarnings([])).toBeUndefined();
  });

  it("formats the first warnings unchanged in bounded ASCII and counts the rest", () => {
    fc.assert(
      fc.property(fc.array(warning, { minLength: 1, maxLength: 40 }), (warnings) => {
        const text = formatWarnings(warnings.map((entry) => create(WarningSchema, entry))) ?? "";
        expect(text).toMatch(/^[\x20-\x7e]{2,4096}$/);
        const told = list.parse(JSON.parse(text));
        const last = told.at(-1);
        const omitted = last?.reason === "OMITTED" ? Number.parseInt(last.message, 10) : 0;
        const kept = omitted > 0 ? told.slice(0, -1) : told;
        expect(kept).toEqual(warnings.slice(0, kept.length));
        expect(kept.length + omitted).toBe(warnings.length);
      }),
    );
  });
});

import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Model, ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { paginate } from "../../src/models/paginate.ts";

const ids = fc.uniqueArray(fc.string({ unit: fc.constantFrom("a", "b", "/", "-", "é", "語", "👩‍🚀") }), {
  maxLength: 30,
});

function models(names: readonly string[]): Model[] {
  return names.map((id) => create(ModelSchema, { id })).sort((a, b) => (a.id < b.id ? -1 : 1));
}

function numbered(count: number): Model[] {
  return models(Array.from({ length: count }, (_, index) => `model-${String(index).padStart(5, "0")}`));
}

test("returns every model exactly once over all pages, for any page size", () => {
  fc.assert(
    fc.property(ids, fc.integer({ min: 0, max: 12 }), (names, size) => {
      const all = models(names);
      const seen: Model[] = [];
      let token = "";
      do {
        const page = paginate(all, size, token);
        seen.push(...page.models);
        token = page.nextPageToken;
      } while (token !== "");
      expect(seen).toEqual(all);
    }),
  );
});

test("neither skips nor repeats models if the list changes between pages", () => {
  fc.assert(
    fc.property(ids, ids, fc.integer({ min: 1, max: 12 }), (before, after, size) => {
      const first = paginate(models(before), size, "");
      fc.pre(first.nextPageToken !== "");
      const second = paginate(models(after), 1000, first.nextPageToken);
      const last = first.models.at(-1)?.id ?? "";
      expect(second.models).toEqual(models(after).filter(({ id }) => id > last));
    }),
  );
});

test("uses 50 for page size 0, and at most 1000", () => {
  expect(paginate(numbered(1200), 0, "").models).toHaveLength(50);
  expect(paginate(numbered(1200), 5000, "").models).toHaveLength(1000);
});

test("returns no token with a full last page", () => {
  expect(paginate(numbered(4), 4, "").nextPageToken).toBe("");
});

test("rejects a negative page size", () => {
  expect(() => paginate([], -1, "")).toThrow("page_size");
});

test.each([
  "model-1",
  "!!!",
  "MTo=",
  Buffer.from("2:model-1").toString("base64url"),
  "MTph/",
  "_____w",
])("rejects the invalid page token %s", (token) => {
  expect(() => paginate(numbered(3), 1, token)).toThrow(
    expect.objectContaining({ reason: "INVALID_REQUEST", message: expect.stringContaining("page_token") }),
  );
});

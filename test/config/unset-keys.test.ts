import { describe, expect, it } from "vitest";
import { z } from "zod";
import { fileSchema } from "../../src/config/schema.ts";
import { shapeOf } from "../../src/config/unset-keys.ts";
import { load, problemsOf, temporaryFolder } from "./harness.ts";

/** A place of the schema that expects a mapping or a list. */
interface Place {
  /** As in errors: `accounts.x.budgets[0]`. */
  readonly path: string;
  /** Whether it is a section with defaults, in sections with defaults. */
  readonly isSection: boolean;
  /** Returns the file in which the place has a value. */
  readonly fileWith: (value: unknown) => unknown;
}

function placesOf(schema: z.core.$ZodType, { path, isSection, fileWith }: Place): readonly Place[] {
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case "mapping":
      return Object.entries(shape.keys).flatMap(([key, child]) => {
        const place = {
          path: path === "" ? key : `${path}.${key}`,
          isSection: isSection && child instanceof z.ZodPrefault,
          fileWith: (value: unknown) => fileWith({ [key]: value }),
        };
        return shapeOf(child).kind === "scalar" ? [] : [place, ...placesOf(child, place)];
      });
    case "named": {
      const place = { path: `${path}.x`, isSection: false, fileWith: (value: unknown) => fileWith({ x: value }) };
      return shapeOf(shape.entry).kind === "scalar" ? [] : [place, ...placesOf(shape.entry, place)];
    }
    case "list": {
      const place = { path: `${path}[0]`, isSection: false, fileWith: (value: unknown) => fileWith([value]) };
      return placesOf(shape.item, place);
    }
    case "scalar":
      return [];
    default:
      return shape satisfies never;
  }
}

const places = placesOf(fileSchema, { path: "", isSection: true, fileWith: (value) => value });
const problemsWith = (value: unknown) => problemsOf(() => load(JSON.stringify(value)));

describe("a key without a value", () => {
  it("is looked for everywhere in the schema", () => {
    const paths = places.map(({ path }) => path);
    expect(paths.length).toBeGreaterThan(50);
    expect(paths).toEqual(
      expect.arrayContaining(["routes", "routes.x", "routes.x.tiers[0].targets", "store.sinks.otlp"]),
    );
  });

  it.each(places.filter(({ isSection }) => isSection))("is unset as the section $path", ({ fileWith }) => {
    const folder = temporaryFolder();
    const loadWith = (value: unknown) => load(JSON.stringify(fileWith(value)), {}, folder);
    expect(loadWith(null)).toEqual(loadWith(undefined));
  });

  it.each(places.filter(({ isSection }) => !isSection))("is a mistake as $path, which says what to write", (place) => {
    const problem = problemsWith(place.fileWith(null)).find(({ path }) => path === place.path);
    expect(problem).toMatchObject({ problem: "has no value" });
    expect(problem?.fix).toMatch(
      /^write a (?:mapping with the keys [a-z_, 0-9]+|mapping, with .+|list, .+), or remove the line$/,
    );
  });

  it.each([
    ["an unknown section", { lmits: null }, "lmits", "is not a known key"],
    ["an unknown key", { limits: { max_valeus: null } }, "limits.max_valeus", "is not a known key"],
    ["an item of a list", { authentication: { keys: [null] } }, "authentication.keys[0]", "is not a mapping"],
    [
      "a header",
      { providers: { openai: { headers: { "x-team": null } } } },
      "providers.openai.headers",
      /header names/,
    ],
  ])("is a mistake as %s", (_, file, path, problem) => {
    expect(problemsWith(file)).toMatchObject([{ path, problem: expect.stringMatching(problem) }]);
  });

  it("is unset as a setting that is no mapping, and as an option of a provider", () => {
    const file = { grpc: { address: null }, providers: { openai: { base_url: null, options: { project: null } } } };
    expect(load(JSON.stringify(file)).providers).toEqual(load("").providers);
    expect(load(JSON.stringify(file)).grpc).toEqual(load("").grpc);
  });
});

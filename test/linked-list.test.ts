import fc from "fast-check";
import { expect, it } from "vitest";
import { LinkedList, type Place } from "../src/linked-list.ts";

it("has the values that were added and not removed, in the order of their arrival", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(), { nil: undefined })), (steps) => {
      const list = new LinkedList<number>();
      const places: Place<number>[] = [];
      let expected: Place<number>[] = [];
      for (const [value, removed] of steps.entries()) {
        const place = removed === undefined ? undefined : places[removed % (places.length || 1)];
        if (place === undefined) {
          places.push(list.add(value));
          expected.push(places.at(-1) as Place<number>);
        } else {
          // Places that were removed before stay in `places`: to remove them again has no effect.
          list.delete(place);
          expected = expected.filter((kept) => kept !== place);
        }
        expect([...list]).toEqual(expected.map(({ value: kept }) => kept));
        expect(list.size).toBe(expected.length);
      }
    }),
  );
});

it("goes on if a loop removes the value that it has", () => {
  const list = new LinkedList<number>();
  const places = [1, 2, 3].map((value) => list.add(value));
  const seen: number[] = [];
  for (const value of list) {
    seen.push(value);
    const place = places[value - 1];
    if (place !== undefined) list.delete(place);
  }
  expect(seen).toEqual([1, 2, 3]);
  expect(list.size).toBe(0);
});

it("keeps nothing that was added later alive by a place that was removed", () => {
  const list = new LinkedList<number>();
  const [first] = [1, 2].map((value) => list.add(value));
  if (first !== undefined) list.delete(first);
  expect(first).toMatchObject({ next: undefined, previous: undefined });
});

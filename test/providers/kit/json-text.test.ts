import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { itemsOf, membersOf, objectOf } from "../../../src/providers/kit/json-text.ts";

describe("exact JSON texts", () => {
  it("are those of each member and item, whatever the JSON", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()), (object, list) => {
        for (const json of [JSON.stringify(object), JSON.stringify(object, null, 2)]) {
          const members = membersOf(json);
          expect([...members].map(([name, text]) => [name, JSON.parse(text)])).toEqual(
            Object.entries(JSON.parse(json)),
          );
          expect(JSON.parse(objectOf(members))).toEqual(JSON.parse(json));
        }
        expect(itemsOf(JSON.stringify(list)).map((text) => JSON.parse(text))).toEqual(JSON.parse(JSON.stringify(list)));
      }),
    );
  });

  it("keep digits, escapes and spaces", () => {
    const json = '{ "a\\"}" : 12345678901234567890 ,"b":[1.0, "\\u00e9\\\\"],"c":{ "d" : "," } }';
    expect([...membersOf(json)]).toEqual([
      ['a"}', "12345678901234567890"],
      ["b", '[1.0, "\\u00e9\\\\"]'],
      ["c", '{ "d" : "," }'],
    ]);
    expect(itemsOf('[ 1.0 , [2,3], "]" ]')).toEqual(["1.0", "[2,3]", '"]"']);
  });

  it.each(["[]", "{}", '"{"', "1", "null", ""])("are none in %s", (json) => {
    expect([...membersOf(json), ...itemsOf(json)]).toEqual([]);
  });
});

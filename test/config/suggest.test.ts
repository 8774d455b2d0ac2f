import { expect, it } from "vitest";
import { suggest } from "../../src/config/suggest.ts";

const known = ["address", "tls", "first_event", "max_connections"];

it.each([
  ["adress", "address"],
  ["Address", "address"],
  ["firstEvent", "first_event"],
  ["max_connection", "max_connections"],
  ["tsl", "tls"],
])("%s is taken for %s", (name, meant) => {
  expect(suggest(name, known)).toBe(`did you mean \`${meant}\`?`);
});

it("a name like no other gets the list", () => {
  expect(suggest("zzzzzzzz", known)).toBe("known here: address, tls, first_event, max_connections");
  expect(suggest("a", [])).toBe("known here: none");
});

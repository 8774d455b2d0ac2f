import { expect, it } from "vitest";
import { suggest } from "../../src/config/suggest.ts";

const known = ["address", "tls", "first_event", "max_connections"];

it.each([
  ["adress", "address"],
  ["Address", "address"],
  ["firstEvent", "first_event"],
  ["max_connection", "max_connections"],
  ["tsl", "tls"],
])("suggests for %s the known name %s", (name, meant) => {
  expect(suggest(name, known)).toBe(`did you mean \`${meant}\`?`);
});

it("lists all known names if no name is near", () => {
  expect(suggest("zzzzzzzz", known)).toBe("write one of address, tls, first_event, max_connections");
  expect(suggest("a", [])).toBe("remove it");
});

import { describe, expect, it } from "vitest";
import { providers as registered } from "../../src/providers/registry.ts";
import { cases, formsOf, isBytes, notJson, titleOf, wireOf } from "./dialect.ts";
import { dialects, problemOf, providers, providersWithCases, withoutWire } from "./load-dialects.ts";

describe("the contract cases of the registry", () => {
  it.each(providers)("have valid contract cases for %s", (provider) => {
    const problem = problemOf(provider);
    // Uses fail, because toBeUndefined would truncate the text.
    if (problem !== undefined) expect.fail(problem);
  });

  it("have contract cases only for registered providers with an HTTP API", () => {
    expect(providersWithCases.filter((provider) => !providers.includes(provider))).toEqual([]);
  });

  it.each(Object.keys(withoutWire))("need no contract cases for %s, which has no base URL", (provider) => {
    const definition = registered.find(({ name }) => name === provider);
    expect(definition?.variables.baseUrl).toBeUndefined();
    expect(definition).toBeDefined();
  });
});

describe.each(dialects.map((dialect) => ({ dialect, title: titleOf(dialect) })))("the contract cases of $title", ({
  dialect,
}) => {
  it.each(formsOf(dialect))("include plain text, %s", (form) => {
    expect(wireOf(dialect, form, "plain text")).toSatisfy(isBytes);
  });

  it.each(formsOf(dialect))("have either bytes or a reason for every case, %s", (form) => {
    for (const name of cases) {
      const wire = wireOf(dialect, form, name);
      expect(wire, name).not.toBe(notJson);
      if (!isBytes(wire)) expect(wire.why, name).toMatch(/\w+ \w+/);
    }
  });
});

import { describe, expect, it } from "vitest";
import { providers as registered } from "../../src/providers/registry.ts";
import { cases, formsOf, isBytes, notJson, titleOf, wireOf } from "./dialect.ts";
import { dialects, problemOf, providers, providersWithCases, withoutWire } from "./load-dialects.ts";

describe("the contract cases of the registry", () => {
  it.each(providers)("cover %s", (provider) => {
    const problem = problemOf(provider);
    // Not as a value of toBeUndefined, which would shorten it.
    if (problem !== undefined) expect.fail(problem);
  });

  it("are for nothing but providers of the registry that have a wire", () => {
    expect(providersWithCases.filter((provider) => !providers.includes(provider))).toEqual([]);
  });

  it.each(Object.keys(withoutWire))("need not cover %s, which is in the registry and has no address", (provider) => {
    const definition = registered.find(({ name }) => name === provider);
    expect(definition?.variables.baseUrl).toBeUndefined();
    expect(definition).toBeDefined();
  });
});

describe.each(dialects.map((dialect) => ({ dialect, title: titleOf(dialect) })))("the cases of $title", ({
  dialect,
}) => {
  it.each(formsOf(dialect))("have plain text, %s", (form) => {
    expect(wireOf(dialect, form, "plain text")).toSatisfy(isBytes);
  });

  it.each(formsOf(dialect))("have bytes or a reason for each case, %s", (form) => {
    for (const name of cases) {
      const wire = wireOf(dialect, form, name);
      expect(wire, name).not.toBe(notJson);
      if (!isBytes(wire)) expect(wire.why, name).toMatch(/\w+ \w+/);
    }
  });
});

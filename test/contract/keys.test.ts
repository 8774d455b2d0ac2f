import { expect, it } from "vitest";
import { Secret } from "../../src/config/secret.ts";
import { startAttempt } from "../../src/routing/attempt.ts";
import { ask } from "../support/requests.ts";
import { formsOf, isBytes, titleOf, wireOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { startStage } from "./run.ts";

/** Variants whose requests carry an access token instead of the key. Their own tests have keys. */
const withTokens: ReadonlySet<string> = new Set(["vertex"]);

const cases = dialects
  .filter(({ name }) => !withTokens.has(name))
  .flatMap((dialect) => formsOf(dialect).map((form) => ({ dialect, form, title: `${titleOf(dialect)}, ${form}` })));

it.each(cases)("sends the key of the attempt to $title, each attempt its own", async ({ dialect, form }) => {
  const wire = wireOf(dialect, form, "plain text");
  if (!isBytes(wire)) return expect.fail("every API has plain text");
  await using stage = await startStage(dialect, form, { steps: [{ write: wire }] });
  const { adapter, upstream } = stage;
  const request = ask(dialect.model.id, "hello");
  const signal = new AbortController().signal;
  const keys = ["first", "second"].map((name) => ({ name, secret: new Secret(`sk-key-${name}`), weight: 1 }));
  const attempts = keys.map((key) =>
    startAttempt({ model: dialect.model, adapter }, request, { signal, holder: "a", whole: form === "whole", key }),
  );
  await Promise.all(attempts.map(({ events }) => Array.fromAsync(events)));
  const own = startAttempt({ model: dialect.model, adapter }, request, {
    signal,
    holder: "a",
    whole: form === "whole",
  });
  await Array.fromAsync(own.events);
  const sent = upstream.requests.map(({ headers }) => JSON.stringify(headers));
  const secretsIn = (text = "") => keys.filter(({ secret }) => text.includes(secret.reveal())).map(({ name }) => name);
  expect(sent.slice(0, 2).flatMap(secretsIn).sort()).toEqual(["first", "second"]);
  expect(secretsIn(sent[2])).toEqual([]);
  const places = upstream.requests.map(({ headers }) => Object.keys(headers).sort());
  expect(places[0]).toEqual(places[2]);
  expect(attempts.map(({ attempt }) => attempt.credential)).toEqual(["first", "second"]);
  expect(own.attempt.credential).toBe("");
});

import { expect, it } from "vitest";
import { ask } from "../support/requests.ts";
import { formsOf, headingOf, isBytes, wireOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { run, startStage } from "./run.ts";

const labels = { "label-name": "label-value" };

const cases = dialects.flatMap((dialect) =>
  formsOf(dialect).map((form) => ({ dialect, form, title: `${headingOf(dialect)}, ${form}` })),
);

it.each(cases)("never sends labels to $title", async ({ dialect, form }) => {
  const wire = wireOf(dialect, form, "plain text");
  if (!isBytes(wire)) return expect.fail("every API has plain text");
  await using stage = await startStage(dialect, form, { steps: [{ write: wire }] });
  const outcome = await run(stage, dialect, form, ask(dialect.model.id, "hello", { labels }));
  expect(outcome.error).toBeUndefined();
  const [sent] = stage.upstream.requests;
  expect(sent?.body).toContain("hello");
  expect(JSON.stringify([sent?.path, sent?.headers, sent?.body])).not.toContain("label-");
  const everything = { ...dialect.everything.request, labels };
  expect(JSON.stringify(stage.adapter.describe(everything, dialect.model))).not.toContain("label-");
});

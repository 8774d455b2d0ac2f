import { describe, expect, it } from "vitest";
import type { Choice } from "../../src/gen/dragoman/v1/completion_pb.js";
import { ask } from "../support/requests.ts";
import { type AnswerCase, bytesOf, cases, type Dialect, type Form, formsOf, isApplicable, titleOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { run, startStage } from "./run.ts";

/**
 * Returns the choices that Dragoman makes of a streamed response, in one form. Undefined: the response has no such
 * form.
 */
async function choicesOf(dialect: Dialect, form: Form, wire: string): Promise<readonly Choice[] | undefined> {
  const bytes = bytesOf(dialect, form, { wire });
  if (typeof bytes !== "string") return undefined;
  await using stage = await startStage(dialect, form, { steps: [{ write: bytes }] });
  const { completion, error } = await run(stage, dialect, form, ask(dialect.model.id, "hello"));
  expect(error).toBeUndefined();
  return completion.choices;
}

/** Returns the response cases of an API whose bytes are text. */
function textCases({ answers }: Dialect): readonly (AnswerCase & { readonly wire: string })[] {
  return cases.flatMap((name) => {
    const entry = answers[name];
    return isApplicable(entry) && typeof entry.wire === "string" ? [{ ...entry, wire: entry.wire }] : [];
  });
}

const finishField = /("(?:finish_reason|stop_reason|finishReason)"\s*:\s*)"(\w+)"/g;

/** A field in which a server says, in every event, that there is no error. */
const noErrors = ["null", '""', "false", "{}", "[]"];

describe.each(
  dialects
    .filter(({ answers }) => {
      const plain = answers["plain text"];
      return isApplicable(plain) && typeof plain.wire === "string";
    })
    .map((dialect) => ({ dialect, title: titleOf(dialect) })),
)("odd responses of $title", ({ dialect }) => {
  it.each(formsOf(dialect))("have the same meaning if the finish reason is in another case, %s", async (form) => {
    for (const swapped of ["toUpperCase", "toLowerCase"] as const) {
      for (const { wire, request } of textCases(dialect)) {
        if (request !== undefined) continue;
        const odd = wire.replace(finishField, (_, field: string, word: string) => `${field}"${word[swapped]()}"`);
        const [usual, other] = [await choicesOf(dialect, form, wire), await choicesOf(dialect, form, odd)];
        expect(other?.map(({ finishReason }) => finishReason)).toEqual(usual?.map(({ finishReason }) => finishReason));
      }
    }
  });

  it.each(formsOf(dialect))("give calls without ids new ones, %s", async (form) => {
    const calls = dialect.answers["two parallel tool calls with interleaved deltas"];
    if (!isApplicable(calls)) return;
    const wire = String(calls.wire).replace(/("id"\s*:\s*)"(?!chatcmpl|msg_|resp)[^"]*"/g, '$1""');
    const choices = await choicesOf(dialect, form, wire);
    if (choices === undefined) return;
    const parts = choices.flatMap(({ message }) => message?.parts ?? []);
    const ids = parts.flatMap(({ kind }) => (kind.case === "toolCall" ? [kind.value.id] : []));
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(2);
    expect(ids).not.toContain("");
  });

  it.each(formsOf(dialect))("are no failures if their field `error` is empty, %s", async (form) => {
    const plain = dialect.answers["plain text"];
    if (!isApplicable(plain)) return;
    for (const none of noErrors) {
      const wire = String(plain.wire).replace(/^(data: ?)\{/gm, `$1{"error":${none},`);
      const bytes = bytesOf(dialect, form, { wire });
      if (typeof bytes !== "string") return;
      const whole = form === "whole" && !bytes.includes('"error"') ? bytes.replace("{", `{"error":${none},`) : bytes;
      await using stage = await startStage(dialect, form, { steps: [{ write: whole }] });
      const { completion, error } = await run(stage, dialect, form, ask(dialect.model.id, "hello"));
      expect(error).toBeUndefined();
      expect(completion.choices.map(({ message }) => message?.parts.map(({ kind }) => kind))).toMatchObject(
        (plain.completion.choices ?? []).map(({ message }) => message?.parts?.map(({ kind }) => kind)),
      );
    }
  });
});

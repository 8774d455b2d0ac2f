import { describe, expect, it } from "vitest";
import { annotationViolations } from "../../src/chat/validation/annotations.ts";
import { requestViolations } from "../../src/chat/validation/request-rules.ts";
import { type ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import type { ChatCompletion } from "../../src/gen/dragoman/v1/completion_pb.js";
import { profiles } from "../../src/profiles/profiles.ts";
import { prepareMessages } from "../support/planning.ts";
import { ask } from "../support/requests.ts";
import { type AnswerCase, type CaseName, type Dialect, isApplicable, titleOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { replayRequest } from "./replay-request.ts";
import { run, startStage } from "./run.ts";

/** Sends a request to an upstream that responds with a case. Returns the completion and the request body. */
async function converse(
  dialect: Dialect,
  request: ChatRequest,
  { wire }: AnswerCase,
): Promise<{ completion: ChatCompletion; body: string }> {
  await using stage = await startStage(dialect, "streamed", { steps: [{ write: wire }] });
  const prepared = prepareMessages(request, dialect.model, profiles.plain);
  const { completion, error } = await run(stage, dialect, "streamed", prepared);
  expect(error).toBeUndefined();
  return { completion, body: stage.upstream.requests[0]?.body ?? "" };
}

function answerOf(dialect: Dialect, name: CaseName): AnswerCase {
  const entry = dialect.answers[name];
  return isApplicable(entry) ? entry : expect.fail(`${titleOf(dialect)} does not have the case "${name}"`);
}

const toolCallsCase = "two parallel tool calls with interleaved deltas";

/** Provider APIs that support parallel tool calls. */
const withTools = dialects.filter(({ answers }) => isApplicable(answers[toolCallsCase]));

const pairs = withTools.flatMap((first) =>
  withTools.map((second) => ({ first, second, title: `${titleOf(first)} → ${titleOf(second)}` })),
);

describe("a conversation with tools that moves to another provider", () => {
  it.each(pairs)("passes tool calls and results on, $title", async ({ first, second }) => {
    const called = await converse(first, ask(first.model.id, "hello"), answerOf(first, toolCallsCase));
    const parts = called.completion.choices[0]?.message?.parts ?? [];
    const calls = parts.flatMap(({ kind }) => (kind.case === "toolCall" ? [kind.value] : []));
    expect(calls).toHaveLength(2);

    const results = Object.fromEntries(calls.map(({ name }) => [name, `the result of ${name}`]));
    const next = replayRequest(second.model.id, called.completion, results);
    const answered = await converse(second, next, answerOf(second, "plain text"));
    for (const { name } of calls) {
      expect(answered.body).toContain(name);
      expect(answered.body).toContain(`the result of ${name}`);
    }
    const alone = await converse(second, ask(second.model.id, "hello"), answerOf(second, "plain text"));
    expect(answered.completion.choices).toEqual(alone.completion.choices);
  });
});

describe("a response without parts", () => {
  const withEmpty = dialects.flatMap((dialect) => {
    const empty = dialect.answers["empty text"];
    return isApplicable(empty) ? [{ dialect, empty, title: titleOf(dialect) }] : [];
  });

  it.each(withEmpty)("is accepted back and leaves the conversation intact, $title", async ({ dialect, empty }) => {
    const { completion } = await converse(dialect, ask(dialect.model.id, "hello"), empty);
    expect(completion.choices[0]?.message?.parts).toEqual([]);
    const next = replayRequest(dialect.model.id, completion, {});
    expect(await annotationViolations(ChatRequestSchema, next)).toEqual([]);
    expect(requestViolations(next, 1_000)).toEqual([]);
    const { body } = await converse(dialect, next, answerOf(dialect, "plain text"));
    expect(body).toContain("go on");
  });
});

import { afterEach, describe, expect, it } from "vitest";
import { applyAdaptations } from "../../src/chat/planning/adaptations.ts";
import { prepareMessages } from "../../src/chat/planning/prepare.ts";
import { createFold } from "../../src/chat/stream/fold.ts";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import type { ChatCompletion } from "../../src/gen/dragoman/v1/completion_pb.js";
import { profiles } from "../../src/profiles/profiles.ts";
import { startAttempt } from "../../src/routing/attempt.ts";
import { startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { type AnswerCase, type CaseName, type Dialect, isApplicable } from "./dialect.ts";
import { dialects } from "./dialects/index.ts";
import { replayRequest } from "./replay-request.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of open.splice(0)) await resource[Symbol.asyncDispose]();
});

/** Asks one provider, which answers with the wire bytes of a case, and tells what was sent and what came. */
async function converse(
  dialect: Dialect,
  request: ChatRequest,
  { wire }: AnswerCase,
): Promise<{ completion: ChatCompletion; body: string }> {
  const upstream = await startReplayUpstream({
    steps: [{ write: wire }],
    ...(dialect.headers && { headers: dialect.headers }),
  });
  const adapter = dialect.create(upstream.baseUrl);
  open.push({ [Symbol.asyncDispose]: async () => adapter.close?.() }, upstream);
  const prepared = prepareMessages(request, dialect.model, profiles.plain);
  const limited = applyAdaptations(prepared, adapter.checkSupport(prepared, dialect.model)).request;
  const { events } = startAttempt({ model: dialect.model, adapter }, limited, {
    signal: new AbortController().signal,
    whole: false,
  });
  const fold = createFold();
  for await (const batch of events) for (const event of batch) fold.add(event);
  return { completion: fold.completion, body: upstream.requests[0]?.body ?? "" };
}

function answerOf(dialect: Dialect, name: CaseName): AnswerCase {
  const entry = dialect.answers[name];
  return isApplicable(entry) ? entry : expect.fail(`${dialect.name} has ${name}`);
}

const toolCallsCase = "two parallel tool calls with interleaved fragments";

/** Providers that call tools, and that therefore can hand a conversation with calls on to another. */
const withTools = dialects.filter(({ answers }) => isApplicable(answers[toolCallsCase]));

const pairs = withTools.flatMap((first) =>
  withTools.map((second) => ({ first, second, title: `${first.name} → ${second.name}` })),
);

describe("a conversation with tools that moves from one provider to another", () => {
  it.each(pairs)("$title: calls and results arrive, and the answer is the same", async ({ first, second }) => {
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

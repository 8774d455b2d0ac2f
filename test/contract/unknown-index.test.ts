import { describe, expect, it } from "vitest";
import { ask } from "../support/requests.ts";
import { type Dialect, titleOf } from "./dialect.ts";
import * as claude from "./fixtures/anthropic-wire.ts";
import * as bedrock from "./fixtures/bedrock-wire.ts";
import * as responses from "./fixtures/openai-responses.ts";
import { dialects } from "./load-dialects.ts";
import { run, startStage } from "./run.ts";

const dialectOf = (title: string): Dialect =>
  dialects.find((dialect) => titleOf(dialect) === title) ?? expect.fail(`no dialect ${title}`);

const claudeStream = (...events: readonly claude.Event[]) =>
  claude.sse(claude.start(), ...claude.text(0, "a"), ...events, ...claude.end("end_turn"));
const bedrockStream = (...frames: readonly Uint8Array[]) =>
  bedrock.answer(bedrock.text(0, "a"), ...frames, bedrock.stop("end_turn"), bedrock.metadata());
const cohereStream = (...events: readonly { readonly type: string }[]) =>
  [
    { type: "message-start", id: "1", delta: { message: { role: "assistant", content: [], tool_calls: [] } } },
    { type: "content-delta", index: 0, delta: { message: { content: { text: "a" } } } },
    ...events,
    { type: "message-end", delta: { finish_reason: "COMPLETE" } },
  ]
    .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("");
const cohereCall = (tool_calls: unknown) => ({ type: "tool-call-delta", index: 4, delta: { message: { tool_calls } } });
const chatStream = (...calls: readonly object[]) =>
  [{ content: "a" }, ...calls.map((call) => ({ tool_calls: [call] }))]
    .map((delta) => `data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`)
    .join("")
    .concat('data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n');
const called = { index: 0, id: "c_1", function: { name: "f", arguments: '{"a":1}' } };
const geminiStream = (...parts: readonly object[]) =>
  [{ text: "a" }, ...parts]
    .map((part) => `data: ${JSON.stringify({ candidates: [{ content: { parts: [part] } }] })}\n\n`)
    .join("")
    .concat('data: {"candidates":[{"content":{"parts":[]},"finishReason":"STOP"}]}\n\n');

const responsesStream = (...events: readonly responses.Event[]) =>
  responses.sse(...responses.eventsOf(responses.message(["a"]), 0), ...events, responses.finish([]));

/** What must become of a delta whose part has not begun: it is carried, named in a warning, or an error. */
interface Row {
  readonly provider: string;
  readonly what: string;
  readonly wire: string | Uint8Array;
  readonly parts?: readonly string[];
  readonly warning?: RegExp;
  readonly error?: RegExp;
}

const rows: readonly Row[] = [
  {
    provider: "openai responses",
    what: "text of an item that did not begin",
    wire: responsesStream(responses.textDelta(3, "b")),
    parts: ["text a", "text b"],
  },
  {
    provider: "openai responses",
    what: "a summary of an item that did not begin",
    wire: responsesStream(...responses.eventsOf(responses.reasoning([["b"]]), 3).slice(1, 3)),
    parts: ["text a", "reasoning b"],
  },
  {
    provider: "openai responses",
    what: "arguments of an item that did not begin",
    wire: responsesStream(responses.argumentsDelta(3, "{}")),
    error: /a tool call has no name/,
  },
  {
    provider: "openai responses",
    what: "arguments in the item of a text",
    wire: responsesStream(responses.argumentsDelta(0, "{}")),
    error: /a tool call has no name/,
  },
  {
    provider: "openai responses",
    what: "text in the item of a call",
    wire: responsesStream(...responses.eventsOf(responses.call("call_1", "f", ["{}"]), 1), responses.textDelta(1, "b")),
    parts: ["text a", "toolCall f {}", "text b"],
  },
  {
    provider: "anthropic",
    what: "text of a block that did not begin",
    wire: claudeStream(claude.more(3, { type: "text_delta", text: "b" })),
    parts: ["text a", "text b"],
  },
  {
    provider: "anthropic",
    what: "reasoning of a block that did not begin",
    wire: claudeStream(claude.more(3, { type: "thinking_delta", thinking: "b" })),
    parts: ["text a", "reasoning b"],
  },
  {
    provider: "anthropic",
    what: "input of a block that did not begin",
    wire: claudeStream(claude.more(3, claude.json("{}"))),
    error: /a tool call has no name/,
  },
  {
    provider: "anthropic",
    what: "an unknown delta of a block that did not begin",
    wire: claudeStream(claude.more(3, { type: "odd_delta", odd: "b" })),
    parts: ["text a"],
    warning: /odd_delta in content block 3/,
  },
  {
    provider: "anthropic",
    what: "text in the block of a tool call",
    wire: claudeStream(
      claude.begin(1, claude.tool("t_1", "f")),
      claude.more(1, { type: "text_delta", text: "b" }),
      claude.stop(1),
    ),
    parts: ["text a", "toolCall f {}"],
    warning: /text_delta in content block 1/,
  },
  {
    provider: "anthropic",
    what: "input in the block of a text",
    wire: claudeStream(claude.more(0, claude.json('{"a":1}'))),
    parts: ["text a"],
    warning: /input_json_delta in content block 0/,
  },
  {
    provider: "bedrock",
    what: "text of a block that did not begin",
    wire: bedrockStream(bedrock.text(3, "b")),
    parts: ["text a", "text b"],
  },
  {
    provider: "bedrock",
    what: "input of a block that did not begin",
    wire: bedrockStream(bedrock.input(3, "{}")),
    error: /a tool call has no name/,
  },
  {
    provider: "bedrock",
    what: "input in the block of a text",
    wire: bedrockStream(bedrock.input(0, "{}")),
    error: /a part changes its kind|a tool call has no name/,
  },
  {
    provider: "cohere",
    what: "arguments of a call that did not begin",
    wire: cohereStream(cohereCall({ function: { arguments: "{}" } })),
    error: /a tool call continues without a start/,
  },
  {
    provider: "cohere",
    what: "calls in a list",
    wire: cohereStream(cohereCall([{ function: { arguments: "{}" } }])),
    parts: ["text a"],
    warning: /tool-call-delta/,
  },
  {
    provider: "openai",
    what: "arguments of a call that did not begin, after a complete call",
    wire: chatStream(called, { index: 1, function: { arguments: '{"b":2}' } }),
    error: /a tool call has no name/,
  },
  {
    provider: "openai",
    what: "more of an incomplete call under another index",
    wire: chatStream(
      { ...called, function: { name: "f", arguments: '{"a"' } },
      { index: 1, function: { arguments: ":1}" } },
      { index: 2, function: { arguments: "" } },
    ),
    parts: ["text a", 'toolCall f {"a":1}'],
  },
  {
    provider: "mistral",
    what: "arguments of a call that did not begin, after a complete call",
    wire: chatStream(called, { index: 1, function: { arguments: '{"b":2}' } }),
    error: /a tool call has no name/,
  },
  {
    provider: "gemini",
    what: "a piece of a call that did not begin",
    wire: geminiStream({ functionCall: { partialArgs: [{ jsonPath: "$.a", stringValue: "b" }], willContinue: true } }),
    error: /a tool call has no name/,
  },
];

describe("a delta whose part did not begin", () => {
  it.each(rows)("is carried, named or an error: $provider, $what", async ({
    provider,
    wire,
    parts,
    warning,
    error,
  }) => {
    const dialect = dialectOf(provider);
    await using stage = await startStage(dialect, "streamed", { steps: [{ write: wire }] });
    const outcome = await run(stage, dialect, "streamed", ask(dialect.model.id, "hello"));
    if (error !== undefined) {
      expect(outcome.error?.message).toMatch(error);
      return;
    }
    expect(outcome.error).toBeUndefined();
    const { choices, warnings } = outcome.completion;
    const found = choices[0]?.message?.parts.map(({ kind }) => {
      if (kind.case === "text") return `text ${kind.value}`;
      if (kind.case === "reasoning") return `reasoning ${kind.value.text}`;
      return kind.case === "toolCall" ? `toolCall ${kind.value.name} ${kind.value.argumentsJson}` : kind.case;
    });
    expect(found).toEqual(parts);
    const messages = warnings.map(({ message }) => message).join("\n");
    if (warning !== undefined) expect(messages).toMatch(warning);
  });
});

import type { BetaContentBlock } from "@anthropic-ai/sdk/resources/beta/messages/messages";
import type { ContentBlock } from "@anthropic-ai/sdk/resources/messages/messages";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { endEvents, startAnswer, toEvents } from "../../../src/providers/anthropic/events.ts";
import { anthropicModels } from "../../../src/providers/anthropic/models.ts";
import { begin, type Event, end, more, start, stop } from "../../contract/fixtures/anthropic-wire.ts";
import { declared } from "../../contract/fixtures/chat-completions.ts";
import { completionOf, nextBody, playedCall } from "../../support/replay.ts";

type Block = Readonly<Record<string, unknown>> & { readonly type: string };

const [model] = anthropicModels.filter(({ id }) => id === "claude-sonnet-4-6");
if (model === undefined) throw new Error("the catalog lacks claude-sonnet-4-6");
const [other] = anthropicModels.filter(({ id }) => id === "claude-sonnet-4-5");
if (other === undefined) throw new Error("the catalog lacks claude-sonnet-4-5");
const adapter = declared("anthropic")("http://127.0.0.1:9");

/** Plays a response. `texts`: data of the events as JSON text, to keep the digits of numbers. */
function play(...texts: readonly string[]) {
  const answer = startAnswer(playedCall(model as NonNullable<typeof model>));
  const events: ChatEvent[] = [];
  for (const data of texts) toEvents(answer, { event: "", data }, events);
  endEvents(answer, events);
  return completionOf(events);
}

const playEvents = (events: readonly Event[]) => play(...events.map((event) => JSON.stringify(event)));

/** Cuts a text into pieces of these lengths, and a last piece with the rest. */
function pieces(text: string, lengths: readonly number[]): readonly string[] {
  let rest = text;
  const cut = lengths.map((length) => {
    const piece = rest.slice(0, length);
    rest = rest.slice(length);
    return piece;
  });
  return [...cut, rest].filter((piece) => piece !== "");
}

/** Returns the events of a block, with its content in deltas where the API sends deltas. */
function eventsOf(block: Block, index: number, lengths: readonly number[]): readonly Event[] {
  switch (block.type) {
    case "text": {
      const { text, citations = [] } = block as unknown as { text: string; citations?: readonly object[] };
      return [
        begin(index, { type: "text", text: "" }),
        ...citations.map((citation) => more(index, { type: "citations_delta", citation })),
        ...pieces(text, lengths).map((piece) => more(index, { type: "text_delta", text: piece })),
        stop(index),
      ];
    }
    case "thinking":
      return [
        begin(index, { type: "thinking", thinking: "", signature: "" }),
        ...pieces(String(block.thinking), lengths).map((thinking) => more(index, { type: "thinking_delta", thinking })),
        ...pieces(String(block.signature), lengths).map((signature) =>
          more(index, { type: "signature_delta", signature }),
        ),
        stop(index),
      ];
    case "tool_use":
    case "server_tool_use":
    case "mcp_tool_use":
      return [
        begin(index, { ...block, input: {} }),
        ...pieces(JSON.stringify(block.input), lengths).map((partial_json) =>
          more(index, { type: "input_json_delta", partial_json }),
        ),
        stop(index),
      ];
    default:
      return [begin(index, block), stop(index)];
  }
}

const word = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" });
const id = fc.stringMatching(/^[a-z0-9_]{1,12}$/);
const input = fc.dictionary(word, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)));
const caller = fc.constantFrom({ type: "direct" }, { type: "code_execution_20260120", tool_id: "srvtoolu_1" });
const citation = fc.record({
  type: fc.constantFrom(
    "char_location",
    "page_location",
    "web_search_result_location",
    "search_result_location",
    "new",
  ),
  cited_text: word,
  document_title: fc.option(word),
  document_index: fc.nat(),
  encrypted_index: word,
  start_char_index: fc.nat(),
  end_char_index: fc.nat(),
});
const results = fc.constantFrom(
  ...["web_search", "web_fetch", "code_execution", "bash_code_execution", "tool_search", "advisor", "mcp", "new"],
);
const block: fc.Arbitrary<Block> = fc.oneof(
  fc.record({ type: fc.constant("text"), text: word, citations: fc.array(citation, { minLength: 1, maxLength: 3 }) }),
  fc.record({ type: fc.constant("text"), text: word }),
  fc.record({ type: fc.constant("thinking"), thinking: word, signature: fc.base64String({ minLength: 4 }) }),
  fc.record({ type: fc.constant("redacted_thinking"), data: fc.base64String({ minLength: 4 }) }),
  fc.record({ type: fc.constant("tool_use"), id, name: id, input, toolset_name: id }),
  fc.record({ type: fc.constant("server_tool_use"), id, name: id, input, caller }),
  fc.record({ type: fc.constant("mcp_tool_use"), id, name: id, input, server_name: word }),
  fc.record({ type: results.map((name) => `${name}_tool_result`), tool_use_id: id, content: json, caller }),
  fc.record({ type: fc.constantFrom("compaction", "fallback", "container_upload", "new"), content: json }),
);
const blocks = fc.uniqueArray(block, { minLength: 1, maxLength: 6, selector: ({ id: own }) => own ?? {} });

describe("the replay law for Claude", () => {
  it("holds: each block of a response is sent back unchanged, in its place", () => {
    fc.assert(
      fc.property(blocks, fc.array(fc.nat(5), { maxLength: 4 }), (turn, lengths) => {
        const events = turn.flatMap((each, index) => eventsOf(each, index, lengths));
        const completion = playEvents([start(), ...events, ...end("end_turn")]);
        expect(completion.warnings).toEqual([]);
        const { body, violations, leftOut } = nextBody(completion, adapter, model);
        expect(violations).toEqual([]);
        expect(leftOut).toEqual([]);
        expect(body.messages[1]).toEqual({ role: "assistant", content: JSON.parse(JSON.stringify(turn)) });
      }),
    );
  });

  it("leaves out what another model made, with warnings, and keeps the rest", () => {
    fc.assert(
      fc.property(blocks, (turn) => {
        const events = turn.flatMap((each, index) => eventsOf(each, index, []));
        const completion = playEvents([start(), ...events, ...end("end_turn")]);
        const { body, leftOut } = nextBody(completion, adapter, other);
        const kept = turn.filter(({ type }) => type === "text" || type === "tool_use");
        const assistant = body.messages.find(({ role }: { role: string }) => role === "assistant");
        expect(assistant?.content ?? []).toEqual(
          kept.map(({ citations: _, toolset_name: __, ...rest }) => JSON.parse(JSON.stringify(rest))),
        );
        const lost = turn.filter(({ type }) => !["text", "tool_use", "thinking", "redacted_thinking"].includes(type));
        const cited = turn.some(({ citations }) => citations !== undefined);
        expect(leftOut).toHaveLength(lost.length + (cited ? 1 : 0));
      }),
    );
  });

  it("holds to the byte for inputs, results and citations", () => {
    const exact = '{"n":1.0,"big":12345678901234567890,"e":"\\u00e9\\/"}';
    const call = `{"type":"server_tool_use","id":"s_1","name":"web_search","input":${exact}}`;
    const result = `{"type":"web_search_tool_result","tool_use_id":"s_1","content":[${exact}]}`;
    const cited = `{"type":"web_search_result_location","cited_text":"a","encrypted_index":"\\u00e9","n":1.0}`;
    const completion = play(
      JSON.stringify(start()),
      `{"type":"content_block_start","index":0,"content_block":${call}}`,
      `{"type":"content_block_start","index":1,"content_block":${result}}`,
      `{"type":"content_block_start","index":2,"content_block":{"type":"text","text":"a","citations":[${cited}]}}`,
      ...end("end_turn").map((event) => JSON.stringify(event)),
    );
    const parts = completion.choices[0]?.message?.parts ?? [];
    expect(parts.map(({ kind }) => kind.value)).toMatchObject([
      { inputJson: exact },
      { outputJson: `[${exact}]` },
      "a",
    ]);
    expect(Buffer.from(parts[2]?.citations[0]?.providerState?.data ?? []).toString()).toBe(cited);
  });
});

/** What becomes of each block type of the SDK. A type that is new in the SDK does not compile until it is listed. */
const kinds: Readonly<Record<BetaContentBlock["type"] | ContentBlock["type"], string>> = {
  text: "text",
  thinking: "reasoning",
  redacted_thinking: "reasoning",
  tool_use: "toolCall",
  server_tool_use: "serverToolCall",
  mcp_tool_use: "serverToolCall",
  web_search_tool_result: "serverToolResult",
  web_fetch_tool_result: "serverToolResult",
  advisor_tool_result: "serverToolResult",
  code_execution_tool_result: "serverToolResult",
  bash_code_execution_tool_result: "serverToolResult",
  text_editor_code_execution_tool_result: "serverToolResult",
  tool_search_tool_result: "serverToolResult",
  mcp_tool_result: "serverToolResult",
  container_upload: "serverToolResult",
  compaction: "serverToolResult",
  fallback: "serverToolResult",
  mcp_tool_listing: "serverToolResult",
};

describe("the block types of the SDK", () => {
  it.each(Object.entries(kinds))("include %s, which becomes a part: %s", (type, kind) => {
    const whole = { type, text: "a", thinking: "a", data: "a", id: "a", name: "a", input: {}, content: [] };
    const completion = playEvents([start(), begin(0, whole), stop(0), ...end("end_turn")]);
    expect(completion.choices[0]?.message?.parts.map((part) => part.kind.case)).toEqual([kind]);
  });
});

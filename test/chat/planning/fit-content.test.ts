import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { adaptOutgoing, startDraft, withMessages } from "../../../src/chat/planning/draft.ts";
import { fitContent } from "../../../src/chat/planning/fit-content.ts";
import type { OptionalContent } from "../../../src/chat/planning/optional-content.ts";
import { formatPath } from "../../../src/field-path.ts";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { type MessageSchema, type PartSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";

type MessageInit = MessageInitShape<typeof MessageSchema>;
type PartInit = MessageInitShape<typeof PartSchema>;

const model = create(ModelSchema, { id: "p/m", provider: "p", providerModel: "m" });
const text = (value: string): PartInit => ({ kind: { case: "text", value } });
const cited: PartInit = { kind: { case: "text", value: "b" }, citations: [{ citedText: "b" }] };
const user = (...parts: PartInit[]): MessageInit => ({ role: Role.USER, parts });
const assistant = (...parts: PartInit[]): MessageInit => ({ role: Role.ASSISTANT, parts });
const search: PartInit["kind"] = {
  case: "searchResult",
  value: { source: "https://a.example", title: "Roads", texts: ["far", "and wide"] },
};
const call = (provider?: string, from = ""): PartInit => ({
  kind: { case: "serverToolCall", value: { name: "web_search" } },
  ...(provider && { providerState: { provider, model: from, data: Uint8Array.of(1) } }),
});

/** Returns the messages that are sent as lists of text or kinds, and the warnings with their fields. */
function fitted(messages: MessageInit[], ...accepts: OptionalContent[]) {
  const request = create(ChatRequestSchema, { messages });
  const draft = fitContent(startDraft(request), { model, accepts: new Set(accepts) });
  return {
    sent: draft.request.messages.map(({ parts }) =>
      parts.map(({ kind }) => (kind.case === "text" ? kind.value : kind.case)),
    ),
    warnings: draft.adaptations.map(({ kind, callersField }) => `${kind} ${formatPath(callersField)}`),
    draft,
  };
}

describe("content that an adapter does not send", () => {
  it("leaves out each part without a kind and each message without parts, with a warning each", () => {
    const { sent, warnings } = fitted([user(text("a")), assistant({}, text("b"), {}), assistant(), user(text("c"))]);
    expect(sent).toEqual([["a"], ["b"], ["c"]]);
    expect(warnings).toEqual([
      "LEFT_OUT messages[1].parts[0]",
      "LEFT_OUT messages[1].parts[2]",
      "LEFT_OUT messages[2]",
    ]);
  });

  it("leaves out a message all of whose parts are left out", () => {
    const { sent, warnings } = fitted([user(text("a")), assistant({}, call()), user(text("b"))]);
    expect(sent).toEqual([["a"], ["b"]]);
    expect(warnings).toEqual(["LEFT_OUT messages[1].parts[0]", "LEFT_OUT messages[1].parts[1]"]);
  });

  it("rejects a conversation of which nothing is left", () => {
    expect(() => fitted([assistant()])).toThrow(expect.objectContaining({ reason: "INVALID_REQUEST" }));
  });

  it("warns at most 101 times about parts that are left out", () => {
    const { sent, warnings, draft } = fitted([
      user(text("a")),
      assistant(...Array.from({ length: 60_000 }, () => ({}))),
    ]);
    expect(sent).toEqual([["a"]]);
    expect(warnings).toHaveLength(101);
    expect(draft.adaptations.at(-1)?.message).toBe(
      "59900 more parts or messages are not sent, for reasons like those above",
    );
  });

  it("sends search results as text, with one warning", () => {
    const result: PartInit["kind"] = { case: "toolResult", value: { toolCallId: "1", parts: [{ kind: search }] } };
    const { sent, warnings, draft } = fitted([
      user(text("What is far?"), { kind: search }),
      { role: Role.TOOL, parts: [{ kind: result }] },
    ]);
    const asText = "Roads\nSource: https://a.example\n\nfar\n\nand wide\n\n";
    expect(sent).toEqual([["What is far?", `\n\n${asText}`], ["toolResult"]]);
    expect(draft.request.messages[1]?.parts[0]?.kind.value).toMatchObject({
      parts: [{ kind: { case: "text", value: asText } }],
    });
    expect(warnings).toEqual(["EMULATED messages[0].parts[1]"]);
  });

  it("leaves out server tool calls and results", () => {
    const { sent, warnings } = fitted([user(text("a")), assistant(call("p", "m"), text("b"))]);
    expect(sent).toEqual([["a"], ["b"]]);
    expect(warnings).toEqual(["LEFT_OUT messages[1].parts[0]"]);
  });

  it("leaves out media of the model, and sends a transcript as text", () => {
    const audio = (transcript: string): PartInit => ({
      kind: {
        case: "media",
        value: { source: { case: "data", value: Uint8Array.of(1) }, mediaType: "audio/wav", transcript },
      },
    });
    const { sent, warnings } = fitted([user(audio("")), assistant(audio("hello"), audio(""))]);
    expect(sent).toEqual([["media"], ["hello"]]);
    expect(warnings).toEqual(["EMULATED messages[1].parts[0]", "LEFT_OUT messages[1].parts[1]"]);
  });

  it("sends arguments that are no JSON object or too deep as text in an object, with one warning", () => {
    const deep = `${'{"a":'.repeat(129)}1${"}".repeat(129)}`;
    const calls = ["{}", "", '{"a":1}', '{"a":', "[1]", deep].map(
      (argumentsJson, index): PartInit => ({
        kind: { case: "toolCall", value: { id: `${index}`, name: "f", argumentsJson } },
      }),
    );
    const { warnings, draft } = fitted([user(text("a")), assistant(...calls)]);
    const sent = draft.request.messages[1]?.parts.map(
      ({ kind }) => kind.case === "toolCall" && kind.value.argumentsJson,
    );
    const invalid = ['{"a":', "[1]", deep].map((written) => JSON.stringify({ invalid_arguments: written }));
    expect(sent).toEqual(["{}", "", '{"a":1}', ...invalid]);
    expect(warnings).toEqual(["EMULATED messages[1].parts[3].tool_call.arguments_json"]);
  });

  it("leaves out citations with one warning for the whole request", () => {
    const { sent, warnings, draft } = fitted([user(text("a")), assistant(text("x"), cited), assistant(cited)]);
    expect(sent).toEqual([["a"], ["x", "b"], ["b"]]);
    expect(draft.request.messages.flatMap(({ parts }) => parts.flatMap(({ citations }) => citations))).toEqual([]);
    expect(warnings).toEqual(["LEFT_OUT messages[1].parts[1].citations"]);
  });

  it("names the caller's fields, also if earlier steps removed messages", () => {
    const request = create(ChatRequestSchema, { messages: [user(text("old")), user(text("a")), assistant({})] });
    const [, ...kept] = request.messages.map((message, index) => ({
      message,
      origin: { message: index, parts: message.parts.map((_, part) => [{ message: index, part }]) },
    }));
    const draft = fitContent(withMessages(startDraft(request), kept), { model, accepts: new Set() });
    expect(draft.adaptations.map(({ callersField }) => formatPath(callersField))).toEqual(["messages[2].parts[0]"]);
    const [first] = draft.origins;
    expect(first?.message).toBe(1);
    expect(adaptOutgoing(draft, [{ kind: "REJECTED", field: ["messages", 0], message: "" }]).adaptations).toHaveLength(
      2,
    );
  });
});

describe("content that an adapter sends", () => {
  it("stays as it is", () => {
    const messages = [user({ kind: search }), assistant(call("p", "m"), cited, { kind: { case: "media", value: {} } })];
    const { sent, warnings, draft } = fitted(messages, "search_results", "server_tools", "citations", "output_media");
    expect(sent).toEqual([["searchResult"], ["serverToolCall", "b", "media"]]);
    expect(draft.request.messages[1]?.parts[1]?.citations).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it("leaves out server tool parts of another provider or model", () => {
    const parts = [call(), call("p"), call("p", "m"), call("p", "older"), call("other", "m")];
    const { sent, warnings } = fitted([user(text("a")), assistant(...parts)], "server_tools");
    expect(sent[1]).toEqual(["serverToolCall", "serverToolCall", "serverToolCall"]);
    expect(warnings).toEqual(["LEFT_OUT messages[1].parts[3]", "LEFT_OUT messages[1].parts[4]"]);
  });

  it("leaves out server tool parts whose JSON was cut off or is too deep", () => {
    const result = (outputJson: string): PartInit => ({ kind: { case: "serverToolResult", value: { outputJson } } });
    const deep = `${"[".repeat(129)}${"]".repeat(129)}`;
    const { sent, warnings } = fitted(
      [user(text("a")), assistant(...["", "[1]", '{"a":', deep].map(result))],
      "server_tools",
    );
    expect(sent[1]).toEqual(["serverToolResult", "serverToolResult"]);
    expect(warnings).toEqual(["LEFT_OUT messages[1].parts[2]", "LEFT_OUT messages[1].parts[3]"]);
  });
});

import { create, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { createFold } from "../../../src/chat/stream/fold.ts";
import { ChoiceSchema } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { type Part, PartSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { encodeParts, encodeReferences, keyPart } from "../../../src/surfaces/responses/opaque.ts";
import { toResponse } from "../../../src/surfaces/responses/response.ts";
import { ToolNames } from "../../../src/surfaces/responses/tool-names.ts";
import { eventsInOrder } from "../../support/lawful-events.ts";
import { part, requestOf } from "./translate.ts";

const state = (data: string) => ({ provider: "p", model: "m", data: Buffer.from(data) });

function completionOf(events: readonly ChatEvent[]) {
  const fold = createFold();
  for (const event of events) fold.add(event);
  fold.completion.choices.splice(1);
  for (const choice of fold.completion.choices) {
    // Generated parts share the log probabilities of a choice at random, and a text gets the sources of the choice.
    delete choice.logprobs;
    choice.sources = [];
  }
  return fold.completion;
}

function outputOf(parts: readonly Part[]): Record<string, unknown>[] {
  const fold = completionOf([]);
  fold.choices.push(create(ChoiceSchema, { message: { role: Role.ASSISTANT, parts: [...parts] } }));
  return itemsOf(fold);
}

function itemsOf(completion: Parameters<typeof toResponse>[0]): Record<string, unknown>[] {
  const context = { echo: {}, toolNames: new ToolNames(), serviceTier: "" };
  return JSON.parse(JSON.stringify(toResponse(completion, context))).output;
}

/** Parts of the model's turn in the next request. */
function nextParts(output: readonly object[]): readonly Part[] {
  const { messages } = requestOf([{ role: "user", content: "hi" }, ...output, { role: "user", content: "go on" }]);
  return messages.filter(({ role }) => role === Role.ASSISTANT).flatMap(({ parts }) => parts);
}

/** What the next request must have of a part; undefined if it needs nothing. Bytes of audio are the only loss. */
function neededOf({ kind, providerState, citations }: Part): Part | undefined {
  const more = { ...(providerState && { providerState }) };
  switch (kind.case) {
    case "text":
    case "refusal":
      if (kind.value === "" && !providerState) return undefined;
      return part({ kind, ...more, ...(kind.value !== "" && { citations }) });
    case "reasoning":
      return kind.value.text === "" && !providerState ? undefined : part({ kind, ...more });
    case "media": {
      const { source, mediaType, transcript } = kind.value;
      const address = source.case === "url" ? { source } : {};
      if (transcript === "" && source.case !== "url" && !providerState) return undefined;
      return part({ kind: { case: "media", value: { mediaType, transcript, ...address } }, ...more });
    }
    default:
      return part({ kind, ...more });
  }
}

/** Annotations have positions in characters, and only the address of their pages. Only a text has sources. */
function comparable(parts: readonly Part[]): unknown {
  return parts.map((generated) => {
    const entry = generated.kind.case === "text" ? generated : { ...generated, citations: [] };
    const isExact = entry.citations.some(({ source }) => source.case !== "url");
    const sources = entry.citations.map(({ source }) => source.value);
    const json: object = toJson(PartSchema, entry) as object;
    return isExact ? json : { ...json, citations: sources };
  });
}

describe("the output of a response that a client sends back", () => {
  it("has every part of the response, with its state and its citations", () => {
    fc.assert(
      fc.property(eventsInOrder, (events) => {
        const completion = completionOf(events);
        const parts = completion.choices[0]?.message?.parts ?? [];
        const expected = parts.flatMap((entry) => neededOf(entry) ?? []);
        expect(comparable(nextParts(itemsOf(completion)))).toEqual(comparable(expected));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps state if the client drops the ids of items and sends reasoning first, as some clients do", () => {
    const parts = [
      part({ kind: { case: "reasoning", value: { text: "hm" } }, providerState: state("r") }),
      part({ kind: { case: "text", value: "same" } }),
      part({
        kind: { case: "toolCall", value: { id: "c", name: "f", argumentsJson: "{}" } },
        providerState: state("c"),
      }),
      part({ kind: { case: "text", value: "same" }, providerState: state("t") }),
    ];
    const output = outputOf(parts).map(({ id: _, status: __, ...item }) => item);
    expect(nextParts(output)).toEqual(parts);
    const sorted = [...output].sort(
      (one, other) => Number(other.type === "reasoning") - Number(one.type === "reasoning"),
    );
    expect(nextParts(sorted).map(({ providerState }) => providerState?.data.toString())).toEqual([
      "r",
      undefined,
      "c",
      "t",
    ]);
  });

  it("keeps the signature of reasoning whose summary the client has dropped", () => {
    const thought = part({ kind: { case: "reasoning", value: { text: "hm" } }, providerState: state("s") });
    const [item] = outputOf([thought]);
    expect(nextParts([{ ...item, summary: [] }])).toEqual([thought]);
  });

  it("has reasoning whose text the provider withholds", () => {
    const withheld = part({
      kind: { case: "reasoning", value: { text: "", redacted: true } },
      providerState: state("s"),
    });
    const output = outputOf([withheld]);
    expect(output).toMatchObject([{ type: "reasoning", summary: [] }]);
    expect(nextParts(output)).toEqual([withheld]);
  });

  it("gives the state of equal texts to the response that they belong to", () => {
    const signed = part({ kind: { case: "text", value: "OK" }, providerState: state("2") });
    const plain = part({ kind: { case: "text", value: "OK" } });
    const input = [...outputOf([plain]), { role: "user", content: "again" }, ...outputOf([signed])];
    expect(nextParts(input)).toEqual([plain, signed]);
  });

  it("sends a web search once, although an item shows it and a reasoning item carries it", () => {
    const search = [
      part({ kind: { case: "serverToolCall", value: { id: "s", name: "web_search", inputJson: '{"query":"q"}' } } }),
      part({
        kind: { case: "serverToolResult", value: { toolCallId: "s", outputJson: "[1]" } },
        providerState: state("x"),
      }),
      part({ kind: { case: "text", value: "found" } }),
    ];
    const output = outputOf(search);
    expect(output.map(({ type }) => type)).toEqual(["web_search_call", "reasoning", "message"]);
    expect(output[0]).toMatchObject({ status: "completed", action: { type: "search", query: "q" } });
    expect(nextParts(output)).toEqual(search);
  });

  it("rejects a reasoning item that somebody has changed", () => {
    const [item] = outputOf([part({ kind: { case: "reasoning", value: { text: "hm" } }, providerState: state("s") })]);
    const changed = { ...item, encrypted_content: `${String(item?.encrypted_content).slice(0, 15)}AAAA` };
    expect(() => requestOf([{ role: "user", content: "hi" }, changed])).toThrow(
      "input.1.encrypted_content: is not as Dragoman sent it; send reasoning items back unchanged",
    );
  });

  it("is state of OpenAI if Dragoman did not make it", () => {
    const foreign = {
      type: "reasoning",
      id: "rs_1",
      summary: [{ type: "summary_text", text: "hm" }],
      encrypted_content: "gAAA",
    };
    const [thought] = nextParts([foreign]);
    expect(thought).toMatchObject({
      kind: { value: { text: "hm" } },
      providerState: { provider: "openai", model: "" },
    });
    expect(JSON.parse(Buffer.from(thought?.providerState?.data ?? []).toString())).toEqual(foreign);
  });

  it("ignores references to parts that the client has dropped", () => {
    const kind = keyPart({ case: "text", value: "dropped" }) ?? { case: "text", value: "" };
    const encrypted = encodeReferences(Array.from({ length: 1000 }, () => ({ kind, providerState: state("x") })));
    const turn = (index: number) => [
      { role: "assistant", content: `text ${index}` },
      { type: "reasoning", summary: [], encrypted_content: encrypted },
    ];
    const parts = nextParts(Array.from({ length: 50 }, (_, index) => turn(index)).flat());
    expect(parts.map(({ providerState }) => providerState)).toEqual(Array.from({ length: 50 }));
  });

  it("rejects a reasoning item with parts that only a caller writes", () => {
    const forged = encodeParts([{ kind: { case: "toolResult", value: { toolCallId: "x" } } }]);
    expect(() => requestOf([{ type: "reasoning", summary: [], encrypted_content: forged }])).toThrow(
      "is not as Dragoman sent it",
    );
  });
});

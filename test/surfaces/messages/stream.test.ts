import { MessageStream } from "@anthropic-ai/sdk/lib/MessageStream";
import type { Message, RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatEvent, DeltaEvent } from "../../../src/chat/stream/events.ts";
import { createFold } from "../../../src/chat/stream/fold.ts";
import { messagesSurface } from "../../../src/surfaces/messages/chat.ts";
import { eventsInOrder, lawfulEvents } from "../../support/lawful-events.ts";
import { noModels } from "../harness.ts";

const body = { model: "m", max_tokens: 9, messages: [{ role: "user", content: "hi" }] };
const { toResponse, createStream } = messagesSurface.translate(body, {
  parameters: {},
  headers: new Headers(),
  catalog: noModels,
});

/**
 * Returns the events of the first choice, since the API has one, with JSON for the inputs and outputs of tools.
 */
function ofOneChoice(events: readonly ChatEvent[]): readonly ChatEvent[] {
  const isOwn = (event: ChatEvent) => !("choiceIndex" in event.value) || event.value.choiceIndex === 0;
  const kinds = new Map<number, string | undefined>();
  const own = events.filter(isOwn).filter((event) => {
    if (event.case !== "delta") return true;
    const { partIndex, delta } = event.value;
    if (!kinds.has(partIndex)) kinds.set(partIndex, delta.case);
    // Models cite only in texts.
    return delta.case !== "citation" || ["text", "refusal"].includes(kinds.get(partIndex) ?? "");
  });
  const deltas = own.filter((event) => event.case === "delta");
  for (const ofPart of Map.groupBy(deltas, ({ value }) => value.partIndex).values()) giveJson(ofPart);
  return own;
}

/** Replaces the texts of the deltas of a part, if they are of a tool, by pieces of JSON. */
function giveJson(deltas: readonly DeltaEvent[]): void {
  const texts = deltas.flatMap(({ value: { delta } }): { of: object; name: string }[] => {
    if (delta.case === "toolCall") return [{ of: delta.value, name: "argumentsJson" }];
    if (delta.case === "serverToolCall") return [{ of: delta.value, name: "inputJson" }];
    return delta.case === "serverToolResult" ? [{ of: delta.value, name: "outputJson" }] : [];
  });
  const said = texts.map(({ of, name }) => String(Reflect.get(of, name)));
  const json = JSON.stringify({ said, number: 12345678901234 });
  const length = Math.ceil(json.length / texts.length);
  for (const [index, { of, name }] of texts.entries()) {
    Reflect.set(of, name, json.slice(index * length, (index + 1) * length));
  }
}

function streamOf(events: readonly ChatEvent[]): readonly RawMessageStreamEvent[] {
  const translate = createStream();
  return events.flatMap((event) => translate(event, "")).map(({ data }) => JSON.parse(JSON.stringify(data)));
}

/** Joins the events of a stream as Anthropic's client does. */
function joined(events: readonly RawMessageStreamEvent[]): Promise<Message> {
  const lines = events.map((event) => `${JSON.stringify(event)}\n`);
  return MessageStream.fromReadableStream(new Blob(lines).stream()).finalMessage();
}

function wholeOf(events: readonly ChatEvent[]): Message {
  const fold = createFold();
  for (const event of events) fold.add(event);
  return JSON.parse(JSON.stringify(toResponse(fold.completion)));
}

describe("the stream of messages", () => {
  it("joins to the whole response in Anthropic's client, for any events", async () => {
    await fc.assert(
      fc.asyncProperty(eventsInOrder.map(ofOneChoice), async (events) => {
        const stream = streamOf(events);
        const { usage: _, parsed_output: __, ...message } = { parsed_output: null, ...(await joined(stream)) };
        const { usage: ___, ...whole } = wholeOf(events);
        // The client ignores the field that Anthropic's API does not have.
        const last = stream.find(({ type }) => type === "message_delta");
        const metadata = last && "provider_metadata" in last && { provider_metadata: last.provider_metadata };
        expect({ ...message, ...metadata }).toEqual(whole);
      }),
    );
  });

  it("opens one block after the other, whatever the order of the deltas", () => {
    fc.assert(
      fc.property(lawfulEvents.map(ofOneChoice), (events) => {
        const [first, ...stream] = streamOf(events);
        expect(first?.type).toBe("message_start");
        expect(stream.slice(-2).map(({ type }) => type)).toEqual(["message_delta", "message_stop"]);
        let [next, open] = [0, false];
        for (const event of stream.slice(0, -2)) {
          if (event.type === "content_block_start") {
            expect([open, event.index]).toEqual([false, next]);
            open = true;
          } else {
            expect([open, "index" in event && event.index]).toEqual([true, next]);
            if (event.type === "content_block_stop") [next, open] = [next + 1, false];
          }
        }
        expect(open).toBe(false);
      }),
    );
  });

  it("loses no content, whatever the order of the deltas", () => {
    fc.assert(
      fc.property(lawfulEvents.map(ofOneChoice), (events) => {
        expect(contentOf(streamOf(events))).toEqual(contentOf(streamOf(inOrder(events))));
      }),
    );
  });
});

/** Returns the events with the deltas of each part after those of the part before it. */
function inOrder(events: readonly ChatEvent[]): readonly ChatEvent[] {
  const placeOf = (event: ChatEvent) => (event.case === "delta" ? event.value.partIndex : 0);
  const [first, ...rest] = events;
  const deltas = rest.filter(({ case: kind }) => kind === "delta").sort((one, other) => placeOf(one) - placeOf(other));
  return [...(first ? [first] : []), ...deltas, ...rest.filter(({ case: kind }) => kind !== "delta")];
}

/** Returns the sorted characters of each kind of content, and the calls. */
function contentOf(events: readonly RawMessageStreamEvent[]) {
  const texts = { text: "", thinking: "", json: "" };
  let citations = 0;
  const blocks: string[] = [];
  for (const event of events) {
    if (event.type === "content_block_start" && /tool/.test(event.content_block.type)) {
      blocks.push(JSON.stringify(event.content_block));
    }
    if (event.type !== "content_block_delta") continue;
    const { delta } = event;
    if (delta.type === "text_delta") texts.text += delta.text;
    if (delta.type === "thinking_delta") texts.thinking += delta.thinking;
    if (delta.type === "input_json_delta") texts.json += delta.partial_json;
    if (delta.type === "citations_delta") citations++;
  }
  const sorted = Object.entries(texts).map(([kind, text]) => [kind, [...text].sort().join("")]);
  return { ...Object.fromEntries(sorted), citations, blocks };
}

import {
  create,
  type DescMessage,
  type FileRegistry,
  fromBinary,
  fromJson,
  type Message,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { createFold } from "../../../src/chat/stream/fold.ts";
import { type StreamChatResponse, StreamChatResponseSchema } from "../../../src/gen/dragoman/v1/chat_service_pb.js";
import { type ChatCompletion, ChatCompletionSchema } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { PartSchema } from "../../../src/gen/dragoman/v1/message_pb.js";
import {
  type Addition,
  additions,
  contractWithout,
  messageOf,
  newerContract,
  novelty,
} from "../../support/contract-versions.ts";
import { lawfulEvents } from "../../support/lawful-events.ts";

/** How a message goes from one version of the contract to another. */
type Transfer = (from: DescMessage, to: DescMessage, message: Message) => Message;

const transfers: Readonly<Record<string, Transfer>> = {
  binary: (from, to, message) => fromBinary(to, toBinary(from, message), { readUnknownFields: false }),
  JSON: (from, to, message) => fromJson(to, toJson(from, message), { ignoreUnknownFields: true }),
};

const response = (event: ChatEvent, index: number) => create(StreamChatResponseSchema, { event, seq: index + 1 });

/** Folds events as a client does that skips what it does not know. */
function fold(responses: readonly Message[]): ChatCompletion {
  const folded = createFold();
  for (const message of responses) {
    const { event } = message as StreamChatResponse;
    if (event.case !== undefined) folded.add(event);
  }
  return folded.completion;
}

const names = Object.keys(additions) as Addition[];
const versions = fc
  .subarray(names, { minLength: 1 })
  .map((missing) => ({ missing, contract: contractWithout(missing.flatMap((name) => [...additions[name]])) }));

describe.each(Object.entries(transfers))("over %s", (_, transfer) => {
  it("folds in an old client to what the whole response is to it, whatever it does not know", () => {
    fc.assert(
      fc.property(versions, lawfulEvents, ({ contract }, events) => {
        const [old, oldCompletion] = [messageOf(contract, "StreamChatResponse"), messageOf(contract, "ChatCompletion")];
        const responses = events.map(response);
        const got = fold(responses.map((message) => transfer(StreamChatResponseSchema, old, message)));
        const whole = transfer(ChatCompletionSchema, oldCompletion, fold(responses));
        expect(toBinary(oldCompletion, got)).toEqual(toBinary(oldCompletion, whole));
      }),
    );
  });

  it.each(["started", "finished", "completed"])("lets an old client skip the event %s", (event) => {
    const contract = contractWithout([`StreamChatResponse.${event}`]);
    fc.assert(
      fc.property(lawfulEvents, (events) => {
        const old = messageOf(contract, "StreamChatResponse");
        const responses = events.map((one, index) => transfer(StreamChatResponseSchema, old, response(one, index)));
        const skipped = responses.filter((message) => (message as StreamChatResponse).event.case === undefined);
        expect(skipped).toHaveLength(events.filter(({ case: kind }) => kind === event).length);
        expect(() => fold(responses)).not.toThrow();
      }),
      { numRuns: 50 },
    );
  });

  const newer = newerContract();
  const newerResponse = messageOf(newer, "StreamChatResponse");

  it("folds in this version to the same completion if a newer server adds fields, events and deltas", () => {
    fc.assert(
      fc.property(lawfulEvents, fc.nat(), (events, pick) => {
        const expected = fold(events.map(response));
        const sent = events.flatMap((event, index): Message[] => {
          const known = withNovelty(newer, transfer(StreamChatResponseSchema, newerResponse, response(event, index)));
          return event.case === "finished" ? [novelDelta(event.value.choiceIndex, expected), known] : [known];
        });
        const at = 1 + (pick % events.length);
        sent.splice(at, 0, fromJson(newerResponse, { [`${novelty.case}_event`]: "progress" }));
        const got = fold(sent.map((message) => transfer(newerResponse, StreamChatResponseSchema, message)));
        for (const { message } of expected.choices) message?.parts.push(create(PartSchema));
        expect(toBinary(ChatCompletionSchema, got)).toEqual(toBinary(ChatCompletionSchema, expected));
      }),
    );
  });

  /** Returns the only delta of a part whose kind this version does not know, after the known parts of a choice. */
  function novelDelta(choiceIndex: number, { choices }: ChatCompletion): Message {
    const partIndex = choices.find(({ index }) => index === choiceIndex)?.message?.parts.length ?? 0;
    return fromJson(newerResponse, { delta: { choiceIndex, partIndex, [`${novelty.case}_delta`]: "shape" } });
  }
});

/** Sets the field that only the newer contract has, in a response and its event. */
function withNovelty(newer: FileRegistry, message: Message): Message {
  const schema = messageOf(newer, "StreamChatResponse");
  const json = toJson(schema, message) as Record<string, Record<string, unknown>>;
  for (const value of Object.values(json)) if (typeof value === "object") value[novelty.field] = "new";
  return fromJson(schema, { ...json, [novelty.field]: "new" } as never);
}

import { toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textDelta } from "../../../src/chat/stream/events.ts";
import { type StreamChatResponse, StreamChatResponseSchema } from "../../../src/gen/dragoman/v1/chat_service_pb.js";
import { encodeResponse } from "../../../src/server/grpc/encode-response.ts";
import { lawfulEvents } from "../../support/lawful-events.ts";

function expectSame(event: StreamChatResponse["event"]): void {
  const response = { $typeName: "dragoman.v1.StreamChatResponse", event } as const;
  expect(encodeResponse(response)).toEqual(Buffer.from(toBinary(StreamChatResponseSchema, response)));
}

describe("an event's bytes", () => {
  it("are those of toBinary for every text, choice and part", () => {
    const index = fc.oneof(fc.nat({ max: 3 }), fc.integer({ min: 120, max: 300 }));
    // Lone halves of surrogate pairs too: both write them as the replacement character.
    const text = fc.string({ unit: "binary", maxLength: 300 });
    fc.assert(fc.property(index, index, text, (choice, part, value) => expectSame(textDelta(choice, part, value))));
  });

  it.each([
    0, 1, 120, 127, 128, 16_383, 16_384, 2_097_152,
  ])("are those of toBinary for a text of %i bytes", (length) => {
    for (let around = Math.max(0, length - 8); around <= length + 2; around++)
      expectSame(textDelta(0, 1, "x".repeat(around)));
  });

  it("are those of toBinary for whole streams of every kind of event", () => {
    fc.assert(fc.property(lawfulEvents, (events) => events.forEach(expectSame)));
  });
});

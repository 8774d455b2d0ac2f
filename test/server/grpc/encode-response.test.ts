import { toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textDelta } from "../../../src/chat/stream/events.ts";
import { type StreamChatResponse, StreamChatResponseSchema } from "../../../src/gen/dragoman/v1/chat_service_pb.js";
import { encodeResponse } from "../../../src/server/grpc/encode-response.ts";
import { lawfulEvents } from "../../support/lawful-events.ts";

function expectSame(event: StreamChatResponse["event"]): void {
  const response = { $typeName: "dragoman.v1.StreamChatResponse", event, seq: 300 } as const;
  expect(encodeResponse(response)).toEqual(Buffer.from(toBinary(StreamChatResponseSchema, response)));
}

describe("encodeResponse", () => {
  it("encodes every text, choice and part as toBinary does", () => {
    const index = fc.oneof(fc.nat({ max: 3 }), fc.integer({ min: 120, max: 300 }));
    // Includes lone surrogates, which both encode as the replacement character.
    const text = fc.string({ unit: "binary", maxLength: 300 });
    fc.assert(fc.property(index, index, text, (choice, part, value) => expectSame(textDelta(choice, part, value))));
  });

  it.each([
    0, 1, 120, 127, 128, 16_383, 16_384, 2_097_152,
  ])("encodes a text of about %i bytes as toBinary does", (length) => {
    for (let around = Math.max(0, length - 8); around <= length + 2; around++)
      expectSame(textDelta(0, 1, "x".repeat(around)));
  });

  it("encodes streams with every kind of event as toBinary does", () => {
    fc.assert(fc.property(lawfulEvents, (events) => events.forEach(expectSame)));
  });
});

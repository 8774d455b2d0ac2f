import { toBinary } from "@bufbuild/protobuf";
import { type StreamChatResponse, StreamChatResponseSchema } from "../../gen/dragoman/v1/chat_service_pb.js";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import { oneByte, varintBytes, writeVarint } from "./varint.ts";

/** Tags of the protobuf wire format: field number and wire type. */
const tag = { delta: 0x12, choiceIndex: 0x08, partIndex: 0x10, text: 0x1a, seq: 0x28 } as const;

/**
 * Encodes a stream event to the same bytes as `toBinary`. Nearly all events are plain text deltas, which this function
 * encodes directly in 0.5 instead of 3.7 microseconds. The difference is about a fifth of the total cost of a delta. A
 * property test compares the bytes of both.
 */
export function encodeResponse(response: StreamChatResponse): Buffer {
  if (response.event.case === "delta") {
    const encoded = encodeTextDelta(response.event.value, response.seq);
    if (encoded !== undefined) return encoded;
  }
  const bytes = toBinary(StreamChatResponseSchema, response);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function encodeTextDelta(value: PartDelta, seq: number): Buffer | undefined {
  const { choiceIndex, partIndex, delta, providerState, logprobs, $unknown } = value;
  const isPlain = delta.case === "text" && providerState === undefined && logprobs === undefined && !$unknown?.length;
  if (!isPlain || choiceIndex >= oneByte || choiceIndex < 0 || partIndex >= oneByte || partIndex < 0 || seq < 1)
    return undefined;
  const textBytes = Buffer.byteLength(delta.value);
  const bodyBytes = (choiceIndex > 0 ? 2 : 0) + (partIndex > 0 ? 2 : 0) + 1 + varintBytes(textBytes) + textBytes;
  const bytes = Buffer.allocUnsafe(2 + varintBytes(bodyBytes) + bodyBytes + varintBytes(seq));
  let at = 0;
  bytes[at++] = tag.delta;
  at = writeVarint(bytes, at, bodyBytes);
  if (choiceIndex > 0) {
    bytes[at++] = tag.choiceIndex;
    bytes[at++] = choiceIndex;
  }
  if (partIndex > 0) {
    bytes[at++] = tag.partIndex;
    bytes[at++] = partIndex;
  }
  bytes[at++] = tag.text;
  at = writeVarint(bytes, at, textBytes);
  at += bytes.write(delta.value, at);
  bytes[at++] = tag.seq;
  writeVarint(bytes, at, seq);
  return bytes;
}

import { toBinary } from "@bufbuild/protobuf";
import { type StreamChatResponse, StreamChatResponseSchema } from "../../gen/dragoman/v1/chat_service_pb.js";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";

/** Tags of the wire format: field number and type. */
const tag = { delta: 0x12, choiceIndex: 0x08, partIndex: 0x10, text: 0x1a } as const;

/** Indexes that take one byte. */
const oneByte = 0x80;

/**
 * Encodes an event of a stream, as toBinary does. A plain text delta, which is nearly every event, is written by hand:
 * 0.5 instead of 3.7 microseconds, a fifth of what a delta costs the service. A property test holds both to the same
 * bytes.
 */
export function encodeResponse(response: StreamChatResponse): Buffer {
  if (response.event.case === "delta") {
    const encoded = encodeTextDelta(response.event.value);
    if (encoded !== undefined) return encoded;
  }
  const bytes = toBinary(StreamChatResponseSchema, response);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function encodeTextDelta(value: PartDelta): Buffer | undefined {
  const { choiceIndex, partIndex, delta, providerState, logprobs, $unknown } = value;
  const isPlain = delta.case === "text" && providerState === undefined && logprobs === undefined && !$unknown?.length;
  if (!isPlain || choiceIndex >= oneByte || choiceIndex < 0 || partIndex >= oneByte || partIndex < 0) return undefined;
  const textBytes = Buffer.byteLength(delta.value);
  const bodyBytes = (choiceIndex > 0 ? 2 : 0) + (partIndex > 0 ? 2 : 0) + 1 + varintBytes(textBytes) + textBytes;
  const bytes = Buffer.allocUnsafe(1 + varintBytes(bodyBytes) + bodyBytes);
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
  bytes.write(delta.value, at);
  return bytes;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= oneByte; rest = Math.floor(rest / oneByte)) bytes++;
  return bytes;
}

function writeVarint(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= oneByte; rest = Math.floor(rest / oneByte)) bytes[at++] = (rest % oneByte) + oneByte;
  bytes[at++] = rest;
  return at;
}

import type { Readable } from "node:stream";
import { deserialize, serialize } from "node:v8";
import type { ChatEvent } from "../../chat/stream/events.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { EmbedRequest } from "../../gen/dragoman/v1/embedding_service_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { EmbeddedBatch } from "../../providers/embedding-api.ts";
import type { SentError } from "../../thread/messages.ts";

/** What a worker asks the process of the local models for: one request for each connection. */
export type ModelRequest = {
  readonly provider: string;
  readonly model: Model;
  readonly holder: string;
} & (
  | {
      /** Method of the adapter. */
      readonly method: "stream" | "prompt";
      readonly request: ChatRequest;
    }
  | {
      /** Method of the adapter's embeddings. */
      readonly method: "embed";
      readonly request: EmbedRequest;
    }
);

/** What the process of the local models sends for a request. The last frame is `end` or `error`. */
export type ModelFrame =
  /** The request waits in a queue until the next frame. */
  | { readonly waitsFor: string }
  | { readonly events: readonly ChatEvent[] }
  | { readonly batches: readonly EmbeddedBatch[] }
  | { readonly prompt: string | undefined }
  | { readonly end: true }
  | { readonly error: SentError };

const headerBytes = 4;

/** Encodes a value for a stream: its length, and its structured clone. Both ends are processes of one service. */
export function encodeFrame(value: ModelRequest | ModelFrame): Buffer {
  const body = serialize(value);
  const frame = Buffer.allocUnsafe(headerBytes + body.length);
  frame.writeUInt32BE(body.length);
  body.copy(frame, headerBytes);
  return frame;
}

/** Reads the values that `encodeFrame` wrote. Does not destroy the stream if the reader stops. */
export async function* readFrames(stream: Readable): AsyncGenerator<unknown, void> {
  let held: Buffer[] = [];
  let size = 0;
  let wanted = headerBytes;
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    held.push(chunk);
    size += chunk.length;
    // A large frame has many chunks, which are joined only once.
    if (size < wanted) continue;
    let rest = Buffer.concat(held, size);
    for (;;) {
      wanted = rest.length < headerBytes ? headerBytes : headerBytes + rest.readUInt32BE();
      if (rest.length < wanted) break;
      yield deserialize(rest.subarray(headerBytes, wanted));
      rest = rest.subarray(wanted);
    }
    held = [rest];
    size = rest.length;
  }
}

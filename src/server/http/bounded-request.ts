import type { DescMessage } from "@bufbuild/protobuf";
import type { createConnectRouter } from "@connectrpc/connect";

type Compression = NonNullable<NonNullable<Parameters<typeof createConnectRouter>[0]>["acceptCompression"]>[number];

/** Throws if an encoded request is malformed or exceeds a bound. */
type Check = (schema: DescMessage, bytes: Uint8Array) => void;

/** Bytes in front of each message of gRPC-Web and of Connect streams: flags and length. */
const prefixBytes = 5;

const compressedFlag = 1;

/** Wraps a compression of Connect, to check what it decompresses before Connect decodes it. */
export function checkedCompression(compression: Compression, schema: DescMessage, check: Check): Compression {
  return {
    ...compression,
    async decompress(bytes, maxBytes) {
      const decompressed = await compression.decompress(bytes, maxBytes);
      check(schema, decompressed);
      return decompressed;
    },
  };
}

interface Body {
  readonly schema: DescMessage;
  readonly header: Headers;
  readonly maxBytes: number;
  readonly check: Check;
}

/** Passes on the body of a binary request. Checks each uncompressed message before Connect gets its last byte. */
export function checkedBody(chunks: AsyncIterable<Uint8Array>, body: Body): AsyncIterable<Uint8Array> {
  if (!/^application\/proto$/i.test(body.header.get("content-type") ?? "")) return checkedFrames(chunks, body);
  const isCompressed = (body.header.get("content-encoding") ?? "identity") !== "identity";
  return isCompressed ? chunks : checkedWhole(chunks, body);
}

async function* checkedWhole(chunks: AsyncIterable<Uint8Array>, { schema, maxBytes, check }: Body) {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    held.push(chunk);
    bytes += chunk.length;
    if (bytes <= maxBytes) continue;
    // Connect rejects the body at these bytes.
    yield* held;
    held = [];
  }
  if (bytes <= maxBytes) check(schema, joined(held));
  yield* held;
}

async function* checkedFrames(chunks: AsyncIterable<Uint8Array>, { schema, maxBytes, check }: Body) {
  let held: Uint8Array[] = [];
  let bytes = 0;
  let needed = prefixBytes;
  for await (const chunk of chunks) {
    held.push(chunk);
    bytes += chunk.length;
    while (bytes >= needed) {
      const start = joined(held);
      held = [start];
      needed = prefixBytes + start.readUInt32BE(1);
      // Connect rejects the message at its prefix.
      if (needed > prefixBytes + maxBytes) yield start.subarray(0, prefixBytes);
      if (bytes < needed) break;
      const frame = start.subarray(0, needed);
      if (((frame[0] ?? 0) & compressedFlag) === 0) check(schema, frame.subarray(prefixBytes));
      yield frame;
      held = [start.subarray(needed)];
      bytes -= needed;
      needed = prefixBytes;
    }
  }
  yield* held;
}

function joined(chunks: readonly Uint8Array[]): Buffer {
  const [first] = chunks;
  if (first === undefined || chunks.length > 1) return Buffer.concat(chunks);
  return Buffer.from(first.buffer, first.byteOffset, first.length);
}

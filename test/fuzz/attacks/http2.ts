import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { CompleteChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_service_pb.js";
import { frame as envelope } from "../../server/raw-calls.ts";
import { scriptEcho } from "../../support/requests.ts";
import type { Attack } from "../driver.ts";
import { anyBytes, inWrites, mutated } from "../mutate.ts";
import { type Bytes, type ConnectionShot, type RequestShot, toBytes, type Write } from "../shot.ts";

const chat = scriptEcho({ text: "hi" });
const message = toBytes(envelope(toBinary(CompleteChatRequestSchema, create(CompleteChatRequestSchema, { chat }))));
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Frame types (RFC 9113, section 6). */
const types = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
const flags = { endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** Encodes a frame. `lengthError` is added to its length field. */
function frame(type: number, frameFlags: number, stream: number, payload: Bytes, lengthError = 0): Bytes {
  const head = Buffer.alloc(9);
  head.writeUIntBE(Math.max(0, payload.length + lengthError) & 0xffffff, 0, 3);
  head[3] = type;
  head[4] = frameFlags;
  head.writeUInt32BE(stream >>> 0, 5);
  return toBytes(head) + payload;
}

const uint32 = (value: number): Bytes => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return toBytes(bytes);
};

/** Encodes an integer with a prefix of 7 bits (RFC 7541, section 5.1), without Huffman code. */
function hpackString(text: Bytes): Bytes {
  if (text.length < 127) return String.fromCharCode(text.length) + text;
  let rest = text.length - 127;
  let digits = "\x7f";
  for (; rest >= 128; rest >>= 7) digits += String.fromCharCode((rest & 127) | 128);
  return digits + String.fromCharCode(rest) + text;
}

/** Literal fields without indexing (RFC 7541, section 6.2.2). */
const hpack = (fields: readonly (readonly [Bytes, Bytes])[]): Bytes =>
  fields.map(([name, value]) => `\0${hpackString(name)}${hpackString(value)}`).join("");

type Field = readonly [Bytes, Bytes];

const usualFields: readonly Field[] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/dragoman.v1.ChatService/CompleteChat"],
  [":authority", "localhost"],
  ["content-type", "application/grpc"],
  ["te", "trailers"],
];

const paths = [
  ...["CompleteChat", "StreamChat", "PlanChat", "Nothing"].map((method) => `/dragoman.v1.ChatService/${method}`),
  ...["/dragoman.v1.ModelService/ListModels", "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"],
  "/dragoman.admin.v1.RoutingService/ListTargets",
  ...["QueryUsage", "ListCalls", "GetCall"].map((method) => `/dragoman.admin.v1.UsageService/${method}`),
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  ...["", "/", "*", "//", "/a", "/%zz", "/\x80", "x".repeat(5_000), "/__proto__/constructor"],
];

/** Header fields that Node's HTTP/2 client can send. */
const sendableFields: readonly Field[] = [
  ...["application/grpc+proto", "application/grpc+json", "application/grpc;x", "text/html", "application/json"].map(
    (value): Field => ["content-type", value],
  ),
  ...["gzip", "identity", "x", "deflate", ""].map((value): Field => ["grpc-encoding", value]),
  ...["1n", "1S", "0S", "99999999H", "999999999H", "-1S", "1", "x", "", "1 S", "1s"].map(
    (value): Field => ["grpc-timeout", value],
  ),
  ...["Bearer x", "x", "Bearer ", "Basic eDp5"].map((value): Field => ["authorization", value]),
  ...["a", "a b", "\xe9", "a".repeat(300)].map((value): Field => ["x-request-id", value]),
  ...["GET", "PUT", "OPTIONS", "x"].map((value): Field => [":method", value]),
  ...["evil.example", "", "a b", "localhost:99999"].map((value): Field => [":authority", value]),
  ["x-selected-account-id", "\xe9"],
  ["grpc-accept-encoding", "gzip,x,,"],
  ["x-bin", "!!"],
  ["grpc-tags-bin", "AA=="],
  ["grpc-trace-bin", "\xff"],
  ["user-agent", ""],
  ["__proto__", "x"],
  ["constructor", "x"],
  ["content-length", "3"],
  ["x", "y".repeat(70_000)],
];

const fields = fc
  .record({
    path: fc.option(fc.constantFrom(...paths), { freq: 3 }),
    odd: fc.array(
      fc.oneof(
        fc.constantFrom(...sendableFields),
        fc.constantFrom<Field[]>(
          ["connection", "close"],
          ["Upper", "x"],
          ["", "x"],
          [":status", "200"],
          [":x", "y"],
          ["a b", "c"],
          ["x", "\0\r\n"],
          ["te", "x"],
          [":protocol", "websocket"],
          ["host", "x"],
        ),
      ),
      { maxLength: 3 },
    ),
    drop: fc.option(fc.nat(5), { freq: 6 }),
    many: fc.oneof({ weight: 15, arbitrary: fc.constant(0) }, fc.constantFrom(130, 2_000)),
  })
  .map(({ path, odd, drop, many }) => [
    ...usualFields
      .filter((_, index) => index !== drop)
      .map(([name, value]): Field => [name, name === ":path" ? (path ?? value) : value]),
    ...odd,
    ...Array.from({ length: many }, (_, index): Field => [`x-${index}`, "y"]),
  ]);

const oddIndices = fc.constantFrom(
  "\x80",
  "\xff\xff\xff\xff\xff\x7f",
  "\xbe",
  "\x3f\xff\xff\x7f",
  "\x20",
  "\0\xff",
  "\x40\x83\xff\xff\xff",
);
const block = fc.oneof(
  { weight: 6, arbitrary: fields.map(hpack) },
  { weight: 1, arbitrary: fc.tuple(fields.map(hpack), oddIndices).map((both) => both.join("")) },
  { weight: 1, arbitrary: mutated(fields.map(hpack), ["\x80", "\xff", "\0", ":path", "\x7f\xff\x7f"]) },
);

const streams = fc.constantFrom(1, 1, 1, 3, 3, 5, 7, 0, 2, 4, 0x7fffffff, 0xffffffff);
const maxFramePayload = 16_384;

/** A call: HEADERS, sometimes continued, then DATA. */
const call = fc
  .record({
    stream: streams,
    block,
    split: fc.boolean(),
    data: fc.oneof(
      { weight: 3, arbitrary: fc.constant(message) },
      mutated(fc.constant(message), ["\0\0\0\0\0", "\x01"]),
    ),
    ends: fc.boolean(),
  })
  .map(({ stream, block, split, data, ends }) => {
    const first = block.slice(0, split ? block.length >> 1 : maxFramePayload);
    const rest: Bytes[] = [];
    for (let at = first.length; at < block.length; at += maxFramePayload)
      rest.push(block.slice(at, at + maxFramePayload));
    const headers = [
      frame(types.headers, rest.length === 0 ? flags.endHeaders : 0, stream, first),
      ...rest.map((part, index) =>
        frame(types.continuation, index === rest.length - 1 ? flags.endHeaders : 0, stream, part),
      ),
    ];
    return headers.join("") + frame(types.data, ends ? flags.endStream : 0, stream, data);
  });

const setting = fc
  .tuple(
    fc.constantFrom(1, 2, 3, 4, 5, 6, 8, 9, 0xffff),
    fc.constantFrom(0, 1, 100, 16_384, 65_535, 2 ** 24, 2 ** 31 - 1, 2 ** 32 - 1),
  )
  .map(([id, value]) => String.fromCharCode(id >> 8, id & 255) + uint32(value));

const increment = fc.constantFrom(0, 1, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1);

/** A frame that is no part of a call. */
const odd = fc.oneof(
  fc.array(setting, { maxLength: 6 }).map((settings) => frame(types.settings, 0, 0, settings.join(""))),
  fc.constant(frame(types.settings, 1, 0, "")),
  fc.constant(frame(types.settings, 1, 0, "x")),
  fc.tuple(streams, increment).map(([stream, value]) => frame(types.windowUpdate, 0, stream, uint32(value))),
  fc.tuple(streams, fc.nat(20)).map(([stream, code]) => frame(types.reset, 0, stream, uint32(code))),
  fc.tuple(streams, streams).map(([stream, parent]) => frame(types.priority, 0, stream, `${uint32(parent)}\x10`)),
  fc.tuple(fc.constantFrom(0, 1), anyBytes(9)).map(([flag, payload]) => frame(types.ping, flag, 0, payload)),
  fc.constant(frame(types.ping, 0, 0, "12345678")),
  fc.tuple(streams, fc.nat(20)).map(([last, code]) => frame(types.goAway, 0, 0, uint32(last) + uint32(code))),
  streams.map((stream) => frame(types.pushPromise, flags.endHeaders, stream, uint32(2))),
  fc
    .tuple(streams, block)
    .map(([stream, payload]) => frame(types.continuation, flags.endHeaders, stream, payload.slice(0, 9_000))),
  fc
    .tuple(fc.nat(255), fc.nat(255), streams, anyBytes(30), fc.integer({ min: -3, max: 3 }))
    .map(([type, flag, stream, payload, error]) => frame(type, flag, stream, payload, error)),
  fc.constant(frame(types.data, flags.padded, 1, "\xff")),
  fc.constant(frame(types.headers, flags.endHeaders | flags.priority, 1, "\0")),
);

const settings = frame(types.settings, 0, 0, "");
const start = fc.oneof(
  { weight: 12, arbitrary: fc.constant(preface + settings) },
  fc.constantFrom("", preface, preface.slice(0, 10), `${preface}x`, `GET / HTTP/1.1\r\n\r\n${preface}`),
  mutated(fc.constant(preface + settings), ["\r\n", "\0"]),
);

const frames = fc
  .array(fc.oneof({ weight: 2, arbitrary: call }, { weight: 3, arbitrary: odd }), { maxLength: 8 })
  .map((all) => all.join(""));
const session = fc.tuple(
  start,
  fc.oneof({ weight: 3, arbitrary: frames }, mutated(frames, [settings, "\0\0\0\0", "\xff"])),
);

/** Opens and resets streams, or repeats one frame, as fast as possible. */
const flood = fc
  .tuple(
    fc.oneof(
      fc.constant((index: number) => {
        const stream = 2 * index + 1;
        return (
          frame(types.headers, flags.endHeaders, stream, hpack(usualFields)) + frame(types.reset, 0, stream, uint32(8))
        );
      }),
      fc.constant((index: number) => frame(types.headers, flags.endHeaders, 2 * index + 1, hpack(usualFields))),
      odd.map((bytes) => () => bytes),
      block.map(
        (bytes) => (index: number) =>
          frame(index === 0 ? types.headers : types.continuation, 0, 1, bytes.slice(0, 1_000)),
      ),
    ),
    fc.constantFrom(50, 500, 2_000),
  )
  .map(([make, count]): readonly Write[] => [
    { bytes: preface + settings },
    { bytes: Array.from({ length: count }, (_, index) => make(index)).join("") },
  ]);

const connection = (writes: fc.Arbitrary<readonly Write[]>): fc.Arbitrary<ConnectionShot> =>
  fc.record({ to: fc.constant("gRPC connection" as const), writes, hurried: fc.boolean() });

/** A stream that never ends by itself. */
const endlessPath = "/grpc.health.v1.Health/Watch";

/** Requests of a real client with odd header fields. */
const request = fields
  .filter((all) => !all.some(([name, value]) => name === ":path" && value === endlessPath))
  .map(
    (all): RequestShot => ({
      to: "gRPC",
      path: "/",
      headers: Object.fromEntries(all.filter(([name]) => name !== "")),
      body: message,
    }),
  );

/** Mutated HTTP/2 bytes for the gRPC listener. */
export const http2: Attack = {
  name: "http2",
  shots: fc.oneof(
    { weight: 14, arbitrary: connection(inWrites(session.map((parts) => parts.join("")))) },
    { weight: 4, arbitrary: request },
    { weight: 1, arbitrary: connection(flood) },
  ),
};

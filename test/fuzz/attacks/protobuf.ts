import { gzipSync } from "node:zlib";
import { create, type DescMethod, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { ChatService, CompleteChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_service_pb.js";
import { ModelService } from "../../../src/gen/dragoman/v1/model_service_pb.js";
import { dialects } from "../../contract/load-dialects.ts";
import { frame } from "../../server/raw-calls.ts";
import { ask, scriptEcho } from "../../support/requests.ts";
import type { Attack } from "../driver.ts";
import { mutated } from "../mutate.ts";
import { type RequestShot, toBuffer, toBytes } from "../shot.ts";
import { modelOf } from "../target.ts";
import { wireMessage } from "../wire-messages.ts";

const methods: readonly DescMethod[] = [...ChatService.methods, ...ModelService.methods];

const models = ["echo/echo", "gpt-4o", "deployments/support", ...dialects.map(modelOf)];

/** Valid requests. The requests of the three chat methods have `chat` as field 1. */
const valid = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...models).map((model) => ask(model, "hi")) },
  fc
    .constantFrom(...dialects)
    .map((dialect) => create(ChatRequestSchema, { ...dialect.everything.request, model: modelOf(dialect) })),
  fc.constant(scriptEcho({ text: "word ", repeat: 5 })),
);
const validBytes = valid.map((chat) =>
  toBinary(CompleteChatRequestSchema, create(CompleteChatRequestSchema, { chat })),
);

const chatField = 1;

/** A valid request, followed by fields that a decoder merges with it. */
const merged = fc.tuple(validBytes, wireMessage(ChatRequestSchema)).map(([bytes, more]) => {
  const chat = Buffer.concat([Buffer.of((chatField << 3) | 2), varint(more.length), more]);
  return Buffer.concat([bytes, chat]);
});

function varint(value: number): Buffer {
  const digits: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) digits.push((rest & 127) | 128);
  return Buffer.from([...digits, rest]);
}

const message = (method: DescMethod): fc.Arbitrary<Uint8Array> => {
  const byStructure = wireMessage(method.input);
  if (method.parent !== ChatService) return byStructure;
  const byBytes = mutated(validBytes.map(toBytes), ["\0", "\xff", "\x0a\x00", "\x0b", "\x0c", "\xed\xa0\x80"]).map(
    toBuffer,
  );
  return fc.oneof({ weight: 5, arbitrary: merged }, { weight: 2, arbitrary: byBytes }, byStructure);
};

const contentTypes = {
  grpc: "application/grpc",
  "grpc-web": "application/grpc-web+proto",
  "connect stream": "application/connect+proto",
  "connect unary": "application/proto",
} as const;
type Wire = keyof typeof contentTypes;
const encodingHeaders: Readonly<Record<Wire, string>> = {
  grpc: "grpc-encoding",
  "grpc-web": "grpc-encoding",
  "connect stream": "connect-content-encoding",
  "connect unary": "content-encoding",
};

interface Form {
  readonly wire: Wire;
  readonly gzip: "no" | "yes" | "broken";
  /** How many messages the body has. A valid request has one. */
  readonly count: number;
  /** Added to the length in the prefix. */
  readonly lengthError: number;
}

/** Encodes a request in one of the protocols. */
function shotOf({ parent, name, methodKind }: DescMethod, message: Uint8Array, form: Form): RequestShot {
  const { wire, gzip, count, lengthError } = form;
  const path = `/${parent.typeName}/${name}`;
  const isStream = methodKind === "server_streaming";
  // Connect has two protocols: one for unary methods and one for streams.
  const fitting = !wire.startsWith("connect") ? wire : isStream ? "connect stream" : "connect unary";
  const packed = gzip === "no" ? message : gzipSync(message);
  const bytes = gzip === "broken" ? packed.subarray(0, packed.length >> 1) : packed;
  const framed = frame(bytes, gzip === "no" ? 0 : 1);
  framed.writeUInt32BE(Math.max(0, bytes.length + lengthError), 1);
  const body = fitting === "connect unary" ? bytes : Buffer.concat(Array.from({ length: count }, () => framed));
  const headers = {
    "content-type": contentTypes[fitting],
    ...(gzip !== "no" && { [encodingHeaders[fitting]]: "gzip" }),
  };
  return { to: fitting === "grpc" ? "gRPC" : "HTTP", path, headers, body: toBytes(body) };
}

const form: fc.Arbitrary<Form> = fc.record({
  wire: fc.constantFrom<Wire>("grpc", "grpc", "grpc-web", "connect unary"),
  gzip: fc.oneof(
    { weight: 5, arbitrary: fc.constant("no" as const) },
    fc.constantFrom("yes" as const, "yes" as const, "broken" as const),
  ),
  count: fc.oneof({ weight: 12, arbitrary: fc.constant(1) }, fc.constantFrom(0, 2)),
  lengthError: fc.oneof({ weight: 15, arbitrary: fc.constant(0) }, fc.constantFrom(-1, 1, 4_000_000_000 - 2 ** 31)),
});

/** Hostile messages for the two services, over gRPC, Connect and gRPC-Web. */
export const protobuf: Attack = {
  name: "protobuf",
  shots: fc
    .constantFrom(...methods, ...ChatService.methods)
    .chain((method) => fc.tuple(message(method), form).map(([bytes, of]) => shotOf(method, bytes, of))),
};

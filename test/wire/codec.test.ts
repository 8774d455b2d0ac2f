import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { inspect, promisify } from "node:util";
import { create, type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, StructSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mostLevels } from "../../src/chat/validation/json-bounds.ts";
import { wireProblemOf } from "../../src/chat/validation/wire-bounds.ts";
import { CallRecordSchema } from "../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { StreamChatResponseSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { EmbedResponseSchema } from "../../src/gen/dragoman/v1/embedding_service_pb.js";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.js";
import { decode, decodeUsual, encode, encodeTo } from "../../src/wire/codec.ts";
import { codecOf } from "../../src/wire/compile.ts";
import { WireReader } from "../../src/wire/wire-reader.ts";
import { WireWriter } from "../../src/wire/wire-writer.ts";
import { anyMessage } from "../support/any-message.ts";
import { contractMessages } from "../support/contract-messages.ts";
import { EverySchema } from "./every-type.ts";

const run = promisify(execFile);

const schemas: readonly DescMessage[] = [
  ...contractMessages,
  CallRecordSchema,
  StatusSchema,
  StructSchema,
  EverySchema,
];

const messages = fc.constantFrom(...schemas).chain((schema) => {
  return anyMessage(schema).map((message) => ({ schema, message }));
});

/** All of a value, with the order of its properties and its prototypes. */
const shown = (value: unknown): string => inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null });

/** What a function returns or throws. */
function resultOf(work: () => unknown): string {
  try {
    return shown(work());
  } catch (error) {
    return String(error);
  }
}

function expectSameBytes(schema: DescMessage, message: Message): void {
  expect(encode(schema, message).equals(toBinary(schema, message))).toBe(true);
}

function expectSameEncoding(schema: DescMessage, message: Message): void {
  const ofLibrary = resultOf(() => Buffer.from(toBinary(schema, message)));
  expect(resultOf(() => encode(schema, message))).toBe(ofLibrary);
}

/** Bytes after one another are merged. A change makes most of them invalid. */
const bytes = fc.constantFrom(...schemas).chain((schema) => {
  const one = anyMessage(schema, { hasUnknown: true }).map((message) => toBinary(schema, message));
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });
  return fc.record({ schema: fc.constant(schema), parts: fc.array(one, { maxLength: 2 }), changes }).map((given) => {
    const all = Buffer.concat(given.parts);
    for (const [place, byte] of given.changes) if (all.length > 0) all[place % all.length] = byte;
    return { schema, all };
  });
});

describe("the compiled code", () => {
  it("encodes any message of the contract to the bytes of protobuf-es", () => {
    fc.assert(
      fc.property(messages, ({ schema, message }) => {
        const writer = new WireWriter();
        codecOf(schema)?.encode(writer, message);
        expect(writer.written.equals(toBinary(schema, message))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it("decodes any message of the contract to the object of protobuf-es", () => {
    fc.assert(
      fc.property(messages, ({ schema, message }) => {
        const encoded = toBinary(schema, message);
        const decoded = resultOf(() => codecOf(schema)?.decode(new WireReader(encoded), encoded.length));
        // Only the library knows how to set this name, and reads the mark of text that is not UTF-8.
        if (/__proto__|\ufffd/.test(new TextDecoder().decode(encoded))) return;
        expect(decoded).toBe(shown(fromBinary(schema, encoded)));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("encode", () => {
  it("writes unknown fields as protobuf-es does", () => {
    const unknown = fc
      .constantFrom(...schemas)
      .chain((schema) => anyMessage(schema, { hasUnknown: true }).map((message) => ({ schema, message })));
    fc.assert(fc.property(unknown, ({ schema, message }) => expectSameEncoding(schema, message)));
  });

  it.each([
    0, 1, 127, 128, 1024, 16_384, 2_097_152,
  ])("encodes texts of about %i bytes as protobuf-es does", (length) => {
    for (let around = Math.max(0, length - 8); around <= length + 2; around++) {
      for (const letter of ["x", "é", "\ud800"]) {
        const characters = Math.floor(around / Buffer.byteLength(letter));
        expectSameBytes(StreamChatResponseSchema, text(letter.repeat(characters)));
      }
    }
  });

  it("throws the errors of protobuf-es for values that do not fit their fields", () => {
    const odd = fc.constantFrom<unknown>(
      null,
      undefined,
      "",
      "7",
      "x",
      0.5,
      2 ** 31,
      -(2 ** 33),
      1e300,
      2n ** 64n,
      7n,
      {},
      [1],
    );
    const names = EverySchema.fields.filter(({ fieldKind, oneof }) => fieldKind !== "message" && !oneof);
    fc.assert(
      fc.property(fc.constantFrom(...names), odd, fc.boolean(), ({ localName, fieldKind }, value, inList) => {
        const message = create(EverySchema);
        const held = fieldKind === "map" ? { 7: value } : fieldKind === "list" && inList ? [value] : value;
        expectSameEncoding(EverySchema, Object.assign(message, { [localName]: held }));
      }),
      { numRuns: 1_000 },
    );
  });

  it("throws the error of protobuf-es for a message of another type", () => {
    const message = create(StructSchema);
    expect(() => encode(CallRecordSchema, message as never)).toThrow("cannot use field");
  });

  it("encodes a Float32Array that begins anywhere in its buffer", () => {
    const values = fc.float32Array({ maxLength: 40, noNaN: true });
    fc.assert(
      fc.property(values, fc.nat({ max: 40 }), (floats, begin) => {
        const part = floats.subarray(Math.min(begin, floats.length));
        const embedding = { $typeName: "dragoman.v1.Embedding", index: 0, values: part as never } as const;
        const encoded = encode(EmbedResponseSchema, { ...create(EmbedResponseSchema), embeddings: [embedding] });
        expect(fromBinary(EmbedResponseSchema, encoded).embeddings[0]?.values).toEqual([...part]);
      }),
    );
  });

  it("returns bytes that later messages do not change", () => {
    for (const size of [10, 100_000]) {
      const first = text("a".repeat(size));
      const encoded = encode(StreamChatResponseSchema, first);
      encode(StreamChatResponseSchema, text("b".repeat(size)));
      expect(encoded.equals(toBinary(StreamChatResponseSchema, first))).toBe(true);
    }
  });

  it("appends after other bytes, also if protobuf-es encodes the message", () => {
    for (const $unknown of [undefined, [{ no: 99, wireType: 0, data: Uint8Array.of(1) }]]) {
      const message = Object.assign(text("a"), $unknown && { $unknown });
      const writer = new WireWriter();
      writer.skip(3);
      encodeTo(writer, StreamChatResponseSchema, message);
      expect(writer.written.subarray(3).equals(toBinary(StreamChatResponseSchema, message))).toBe(true);
    }
  });
});

describe("decode", () => {
  it("accepts, merges and rejects what protobuf-es does", () => {
    const options = fc.record({ readUnknownFields: fc.boolean(), recursionLimit: fc.constantFrom(2, 100, 128) });
    fc.assert(
      fc.property(bytes, options, ({ schema, all }, chosen) => {
        expect(resultOf(() => decode(schema, all, chosen))).toBe(resultOf(() => fromBinary(schema, all, chosen)));
      }),
      { numRuns: 2_000 },
    );
  });

  it("finds no message usual that is malformed or nests too deeply", () => {
    let usual = 0;
    fc.assert(
      fc.property(bytes, ({ schema, all }) => {
        if (decodeUsual(schema, all, mostLevels) === undefined) return;
        usual++;
        expect(wireProblemOf(schema, all, Math.max(1, all.length))).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
    expect(usual).toBeGreaterThan(100);
  });

  it.each([99, 100, 101, 127, 128, 129])("limits %i levels as protobuf-es does", (levels) => {
    let message = create(EverySchema);
    for (let level = 1; level < levels; level++) message = create(EverySchema, { child: message });
    const encoded = toBinary(EverySchema, message);
    for (const recursionLimit of [100, 128]) {
      const read = (by: typeof decode) => resultOf(() => by(EverySchema, encoded, { recursionLimit }));
      expect(read(decode)).toBe(read(fromBinary));
    }
  });
});

describe("a message that is not compiled", () => {
  it("is encoded and decoded by protobuf-es", () => {
    const message = create(FileDescriptorProtoSchema, { name: "a.proto", messageType: [{ name: "A" }] });
    const encoded = encode(FileDescriptorProtoSchema, message);
    expect(codecOf(FileDescriptorProtoSchema)).toBeUndefined();
    expect(decode(FileDescriptorProtoSchema, encoded)).toEqual(message);
  });

  it("is any message if Node.js may not compile strings", async () => {
    const script = fileURLToPath(new URL("no-code-generation.ts", import.meta.url));
    const { stdout } = await run(process.execPath, ["--disallow-code-generation-from-strings", script]);
    expect(stdout).toBe("true");
  });
});

function text(value: string) {
  return create(StreamChatResponseSchema, {
    event: { case: "delta", value: { delta: { case: "text", value } } },
    seq: 7,
  });
}

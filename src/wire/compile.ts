import type { DescMessage } from "@bufbuild/protobuf";
import { decoderSource } from "./decoder-source.ts";
import { encoderSource } from "./encoder-source.ts";
import { isPlain, messagesIn } from "./plain-messages.ts";
import { readStruct, setEntry, writeStruct } from "./struct.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Functions that are compiled for one type of messages. Each throws an error for what is not usual. */
export interface Codec {
  encode(writer: WireWriter, message: unknown): void;
  decode(reader: WireReader, end: number): unknown;
}

const codecs = new Map<DescMessage, Codec>();

/** Schemas that cannot be compiled. */
const others = new Set<DescMessage>();

/** Returns the compiled functions for a message. Undefined: the library must do it. */
export function codecOf(schema: DescMessage): Codec | undefined {
  const codec = codecs.get(schema);
  if (codec !== undefined || others.has(schema)) return codec;
  const messages = [...messagesIn(schema)];
  try {
    if (messages.every(isPlain)) compileAll(messages.filter((message) => !codecs.has(message)));
    else others.add(schema);
  } catch (error) {
    // Node.js was started with --disallow-code-generation-from-strings.
    if (!(error instanceof EvalError)) throw error;
    others.add(schema);
  }
  return codecs.get(schema);
}

function compileAll(messages: readonly DescMessage[]): void {
  const compiled = new Map(messages.map((message) => [message, emptyCodec()]));
  for (const [message, codec] of compiled) Object.assign(codec, compile(message, compiled));
  for (const [message, codec] of compiled) codecs.set(message, codec);
}

/** Codecs refer to each other before they are compiled, because messages contain themselves. */
function emptyCodec(): Codec {
  return { encode: unusual, decode: unusual };
}

/**
 * Compiles JavaScript that has the fields of the message as names, which V8 turns into machine code that is four times
 * as quick as functions that look fields up in a table, as those of protobuf-es do.
 */
function compile(schema: DescMessage, compiled: ReadonlyMap<DescMessage, Codec>): Codec {
  const used = [...new Set(schema.fields.flatMap(({ message }) => message ?? []))];
  const nameOf = (message: DescMessage): string => `codec${used.indexOf(message)}`;
  const helpers = { unusual, numberOf, noBytes, writeStruct, readStruct, setEntry };
  const file = new URL(`./compiled/${schema.typeName}.js`, import.meta.url);
  const source = `"use strict";
return { encode: ${encoderSource(schema, nameOf)}, decode: ${decoderSource(schema, nameOf)} };
//# sourceURL=${file}`;
  const create = new Function(...Object.keys(helpers), ...used.map(nameOf), source);
  return create(...Object.values(helpers), ...used.map((message) => compiled.get(message) ?? codecs.get(message)));
}

const noBytes = new Uint8Array(0);

/** Returns the number that is the key of a map. */
function numberOf(key: string): number {
  const number = Number(key);
  if (String(number) !== key) unusual();
  return number;
}

function unusual(): never {
  throw new TypeError("the message is not of the usual form");
}

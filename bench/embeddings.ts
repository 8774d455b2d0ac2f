/**
 * `npm run bench -- --embeddings`: bytes and CPU time of 256 vectors of 1,536 values, in the forms in which callers get
 * them: writing in the service, and reading in a client that is JavaScript.
 */
import type { ServerResponse } from "node:http";
import { Writable } from "node:stream";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type EmbedResponse, EmbedResponseSchema } from "../src/gen/dragoman/v1/embedding_service_pb.js";
import type { Encoding } from "../src/surfaces/openai/embeddings.ts";
import { writeEmbeddings } from "../src/surfaces/openai/write-embeddings.ts";
import { encode } from "../src/wire/codec.ts";
import { describeMachine, type Figure, formatSection } from "./report.ts";
import { summarize } from "./statistics.ts";

const [count, dimensions, rounds] = [256, 1536, 15];

/** A response as a call has it: with random values in Float32Arrays. */
const response: EmbedResponse = {
  ...create(EmbedResponseSchema, { id: "embd-0", model: "m", provider: "p" }),
  embeddings: Array.from({ length: count }, (_, index) => ({
    $typeName: "dragoman.v1.Embedding",
    index,
    values: Float32Array.from({ length: dimensions }, () => Math.random() - 0.5) as unknown as number[],
  })),
};

interface Form {
  readonly name: string;
  write(): Promise<Buffer> | Buffer;
  read(bytes: Buffer): unknown;
}

async function written(encoding: Encoding): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const sink = new Writable({ write: (chunk: Buffer, _, done) => done(void chunks.push(chunk) as never) });
  const target = Object.assign(sink, { writeHead: () => sink }) as unknown as ServerResponse;
  await writeEmbeddings(target, response, encoding, new AbortController().signal);
  return Buffer.concat(chunks);
}

function floatsIn(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);
}

const forms: readonly Form[] = [
  {
    name: "gRPC",
    write: () => encode(EmbedResponseSchema, response),
    read: (bytes) => fromBinary(EmbedResponseSchema, bytes),
  },
  {
    name: "gRPC by protobuf-es",
    write: () => Buffer.from(toBinary(EmbedResponseSchema, response)),
    read: (bytes) => fromBinary(EmbedResponseSchema, bytes),
  },
  {
    name: "HTTP, base64",
    write: () => written("base64"),
    read: (bytes) => {
      const { data }: { data: { embedding: string }[] } = JSON.parse(bytes.toString());
      return data.map(({ embedding }) => floatsIn(embedding));
    },
  },
  { name: "HTTP, numbers", write: () => written("float"), read: (bytes) => JSON.parse(bytes.toString()) },
];

async function cpuMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

async function figuresOf({ name, write, read }: Form): Promise<readonly Figure[]> {
  const bytes = await write();
  const times: { readonly write: number[]; readonly read: number[] } = { write: [], read: [] };
  for (let round = 0; round < rounds; round++) {
    times.write.push(await cpuMs(write));
    times.read.push(await cpuMs(() => read(bytes)));
  }
  return [
    { name: `${name}: size`, unit: "KiB", value: summarize([bytes.length / 1024]) },
    { name: `${name}: write`, unit: "ms", value: summarize(times.write) },
    { name: `${name}: read`, unit: "ms", value: summarize(times.read) },
  ];
}

console.log(describeMachine());
const figures: Figure[] = [];
for (const form of forms) figures.push(...(await figuresOf(form)));
console.log(formatSection({ title: `${count} vectors of ${dimensions} values`, figures }));

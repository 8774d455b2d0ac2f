/**
 * `npm run bench -- --messages`: CPU time of decoding, validating and encoding the messages of a call in this process,
 * against the libraries that do it without code that is compiled for each message.
 */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { isSurelyValid } from "../src/chat/validation/surely-valid.ts";
import { CallRecordSchema } from "../src/gen/dragoman/admin/v1/call_record_pb.js";
import type { AttemptSchema } from "../src/gen/dragoman/v1/attempt_pb.js";
import {
  CompleteChatRequestSchema,
  CompleteChatResponseSchema,
  StreamChatResponseSchema,
} from "../src/gen/dragoman/v1/chat_service_pb.js";
import { decode, encode } from "../src/wire/codec.ts";
import { describeMachine, type Figure, formatSection, versus } from "./report.ts";

const rounds = 15;
const timesPerRound = 20_000;

const text = (value: string) => ({ kind: { case: "text", value } }) as const;
const parameters = { temperature: 0.7, topP: 0.9, maxOutputTokens: 256, stopSequences: ["END"] };

const request = create(CompleteChatRequestSchema, {
  chat: {
    model: "echo/echo",
    messages: [
      { role: 1, parts: [text("You are a helpful assistant that answers briefly.")] },
      { role: 3, parts: [text("What is the capital of France, and how many people live there?")] },
      { role: 4, parts: [text("Paris, with about 2.1 million people in the city.")] },
      { role: 3, parts: [text("And of Germany?")] },
    ],
    parameters,
    labels: { team: "search", feature: "qa" },
  },
});

const usage = {
  ...{ inputTokens: 120, outputTokens: 20, totalTokens: 140, quality: 1 },
  cost: { totalNanos: 12_345n, inputNanos: 12_000n, outputNanos: 345n, source: 1, priceVersion: "2026-11-01" },
};

const attempt: MessageInitShape<typeof AttemptSchema> = {
  ...{ provider: "echo", providerModel: "echo", target: "echo/echo", httpStatus: 200, outcome: 1, usage },
  duration: { nanos: 123_000_000 },
  firstOutputDuration: { nanos: 99_000_000 },
};

const response = create(CompleteChatResponseSchema, {
  completion: {
    ...{ id: "chatcmpl-0190aabbccddeeff0011223344556677", model: "echo", provider: "echo", usage },
    createTime: { seconds: 1_790_000_000n, nanos: 12_300_000 },
    choices: [{ message: { role: 4, parts: [text("Berlin, with about 3.7 million people.")] }, finishReason: 1 }],
    attempts: [attempt],
    effectiveParameters: parameters,
  },
});

const delta = create(StreamChatResponseSchema, {
  event: { case: "delta", value: { delta: { case: "text", value: " million people" } } },
  seq: 17,
});

const record = create(CallRecordSchema, {
  ...{ id: "chatcmpl-0190aabbccddeeff0011223344556677", account: "billing", model: "echo/echo", provider: "echo" },
  startTime: { seconds: 1_790_000_000n, nanos: 12_300_000 },
  attempts: [attempt],
  usage,
});

type Work = () => unknown;

function encoding<Schema extends DescMessage>(schema: Schema, message: MessageShape<Schema>): readonly [Work, Work] {
  return [() => encode(schema, message), () => toBinary(schema, message)];
}

const validator = createValidator({ failFast: true });
const requestBytes = Buffer.from(toBinary(CompleteChatRequestSchema, request));

const works: Readonly<Record<string, readonly [work: Work, ofLibrary: Work]>> = {
  "decode a request": [
    () => decode(CompleteChatRequestSchema, requestBytes),
    () => fromBinary(CompleteChatRequestSchema, requestBytes),
  ],
  "validate a request": [
    () => isSurelyValid(CompleteChatRequestSchema, request),
    () => validator.validate(CompleteChatRequestSchema, request),
  ],
  "encode a response": encoding(CompleteChatResponseSchema, response),
  "encode a delta": encoding(StreamChatResponseSchema, delta),
  "encode a call record": encoding(CallRecordSchema, record),
};

function cpuMicroseconds(work: Work): number {
  const before = process.cpuUsage();
  for (let time = 0; time < timesPerRound; time++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / timesPerRound;
}

function measure(name: string, [work, ofLibrary]: readonly [Work, Work]): Figure {
  const values: number[] = [];
  const references: number[] = [];
  for (let round = 0; round < rounds; round++) {
    values.push(cpuMicroseconds(work));
    references.push(cpuMicroseconds(ofLibrary));
  }
  return versus(name, "µs", "ratio", values, references);
}

console.log(describeMachine());
console.log(
  formatSection({
    title: "Messages",
    ...{ of: "compiled", against: "libraries", comparison: "ratio" },
    figures: Object.entries(works).map(([name, work]) => measure(name, work)),
  }),
);

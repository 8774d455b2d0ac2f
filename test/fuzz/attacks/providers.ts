import { create, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { bytesOf, cases, type Dialect, type Form, isApplicable, isBytes } from "../../contract/dialect.ts";
import { dialects } from "../../contract/load-dialects.ts";
import { changedJson, hostileJson, type JsonChange, placesOf } from "../../surfaces/json-changes.ts";
import type { Attack } from "../driver.ts";
import { anyBytes, inWrites, mutated } from "../mutate.ts";
import { type Bytes, type ProviderShot, toBytes } from "../shot.ts";
import { type LlmEngineApi, modelOf } from "../target.ts";

/** A response body of a dialect that is valid, with the request that leads to it. */
interface Base {
  readonly dialect: Dialect;
  readonly form: Form;
  readonly status: number;
  readonly request: ProviderShot["request"];
  readonly body: Bytes;
}

const text = (wire: string | Uint8Array): Bytes => toBytes(Buffer.from(wire));

function basesOf(dialect: Dialect): readonly Base[] {
  const answers = cases.flatMap((name) => {
    const entry = dialect.answers[name];
    return isApplicable(entry) ? [entry] : [];
  });
  const good = [...answers, ...dialect.failures].flatMap((entry) =>
    (["streamed", "whole"] as const).flatMap((form) => {
      const wire = bytesOf(dialect, form, entry);
      if (!isBytes(wire)) return [];
      const request = "request" in entry ? toJson(ChatRequestSchema, create(ChatRequestSchema, entry.request)) : {};
      return [{ dialect, form, status: 200, request: request as ProviderShot["request"], body: text(wire) }];
    }),
  );
  const errors = dialect.errors.map(({ status, body }): Base => {
    const wire = typeof body === "string" ? body : JSON.stringify(body);
    return { dialect, form: "streamed", status, request: {}, body: text(wire) };
  });
  return [...good, ...errors];
}

const dictionary = [
  ...[
    "data: ",
    "data:",
    "\n\n",
    "\r\n",
    "\r",
    "event: x\n",
    "event: error\n",
    ": c\n",
    "id: 1\n",
    "retry: 1\n",
    "[DONE]",
  ],
  ...['"', "{", "}", "[", "]", ",", "null", "true", "-1", "1e999", "\\ud83d", "\\u0000", "\xed\xa0\x80", "\xff", "\0"],
  ...[
    '{"error":{"message":"x"}}',
    '"delta":null,',
    '"choices":[null],',
    '"index":-1,',
    '"index":99999,',
    '"usage":[],',
  ],
  ...['"index":1e15,', '"tool_calls":[null],', '"tool_calls":[{"index":null}],', '"content":[[]],', "data: null\n\n"],
  ...["data: []\n\n", 'data: {"choices":[{"delta":{"content":{}}}]}\n\n', "a".repeat(50_000)],
];

/** A JSON value in the body: an event of a stream, or the whole body. */
const jsonLine = /(?<=^data: ?)[{[].*$|^[{[].*[}\]]$/gm;

/** Changes values in the JSON of a body and keeps its form. */
const byStructure = (body: Bytes): fc.Arbitrary<Bytes> =>
  fc
    .array(
      fc.record({
        event: fc.nat(),
        place: fc.nat(),
        kind: fc.constantFrom<JsonChange>("replace", "remove", "add", "repeat"),
        value: hostileJson,
      }),
      { minLength: 1, maxLength: 3 },
    )
    .map((changes) =>
      changes.reduce((current, { event, place, kind, value }) => {
        const events = [...current.matchAll(jsonLine)];
        const match = events[event % events.length];
        if (match === undefined || match[0].length > 15_000) return current;
        try {
          const parsed: unknown = JSON.parse(Buffer.from(match[0], "latin1").toString());
          const places = placesOf(parsed);
          const changed = changedJson(parsed, places[place % places.length] ?? [], kind, value) ?? "";
          return current.slice(0, match.index) + text(changed) + current.slice(match.index + match[0].length);
        } catch {
          return current;
        }
      }, body),
    );

const bodyOf = ({ body }: Base): fc.Arbitrary<Bytes> =>
  fc.oneof(
    { weight: 5, arbitrary: byStructure(body) },
    { weight: 4, arbitrary: mutated(fc.constant(body), dictionary) },
    { weight: 1, arbitrary: fc.constant(body) },
  );

const statuses = fc.constantFrom(
  200,
  201,
  204,
  206,
  301,
  304,
  400,
  401,
  403,
  404,
  408,
  413,
  422,
  429,
  500,
  503,
  529,
  599,
  999,
);
const oddHeaders = [
  ...[
    "retry-after: 99999999999999999999",
    "retry-after: x",
    "retry-after: -1",
    "retry-after: Wed, 21 Oct 2015 07:28:00 GMT",
  ],
  ...["x-ratelimit-limit-requests: x", "x-ratelimit-reset-requests: 1e400s", "x-ratelimit-remaining-tokens: -1"],
  ...[
    "content-encoding: gzip",
    "content-encoding: x",
    "transfer-encoding: chunked",
    "content-length: 5",
    "connection: x",
  ],
  ...[
    "content-length: -1",
    "location: http://127.0.0.1:1/",
    "location: /",
    "x-request-id: \xe9",
    "set-cookie: a",
    "a b: c",
  ],
  ...["x-amzn-errortype: x:y", "x-amzn-requestid: \x80", ": x", "x: \0", `x: ${"y".repeat(20_000)}`],
  ...Array.from({ length: 3 }, (_, index) => `request-id: ${"z".repeat(index * 2_000)}`),
];
const types = ["text/event-stream", "application/json", "text/html", "application/vnd.amazon.eventstream", "", "x"];

const response = (base: Base): fc.Arbitrary<Bytes> =>
  fc
    .record({
      body: bodyOf(base),
      status: fc.oneof({ weight: 8, arbitrary: fc.constant(base.status) }, statuses),
      type: fc.option(fc.constantFrom(...types), { freq: 8 }),
      headers: fc.oneof(
        { weight: 4, arbitrary: fc.constant([]) },
        fc.array(fc.constantFrom(...oddHeaders), { maxLength: 3 }),
      ),
      framing: fc.constantFrom("length", "close", "chunked", "wrong length"),
    })
    .map(({ body, status, type, headers, framing }) => {
      const usual = base.form === "whole" || base.status !== 200 ? "application/json" : "text/event-stream";
      const length = framing === "wrong length" ? body.length + 7 : body.length;
      const head = [
        `HTTP/1.1 ${status} x`,
        `content-type: ${type ?? base.dialect.headers?.["content-type"] ?? usual}`,
        ...(framing === "chunked" ? ["transfer-encoding: chunked"] : []),
        ...(framing.endsWith("length") ? [`content-length: ${length}`] : []),
        ...headers,
      ];
      const framed = framing === "chunked" ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
      return `${head.join("\r\n")}\r\n\r\n${framed}`;
    });

/** A stream whose last line never ends. */
const endless = (base: Base): fc.Arbitrary<ProviderShot["response"]> =>
  fc
    .tuple(
      fc.constantFrom("data: ", "", ":", "event: ", 'data: {"a":"', "\0\0\xff\xff"),
      fc.constantFrom("x", "[", "\\", "\0"),
      fc.constantFrom(1, 8, 24),
    )
    .map(([start, filler, mebibytes]) => [
      {
        bytes: `HTTP/1.1 200 OK\r\ncontent-type: ${base.dialect.headers?.["content-type"] ?? "text/event-stream"}\r\n\r\n${start}`,
      },
      { bytes: filler.repeat(65_536), times: 16 * mebibytes },
    ]);

const through = ({ form, status }: Base): fc.Arbitrary<ProviderShot["through"]> =>
  form === "whole"
    ? fc.constantFrom("CompleteChat", "CompleteChat", "OpenAI whole")
    : status === 200
      ? fc.constantFrom("StreamChat", "StreamChat", "OpenAI stream")
      : fc.constantFrom("StreamChat", "CompleteChat", "OpenAI stream", "OpenAI whole");

const shot = (base: Base): fc.Arbitrary<ProviderShot> =>
  fc.record({
    to: fc.constant("provider" as const),
    model: fc.constant(modelOf(base.dialect)),
    through: through(base),
    request: fc.constant(base.request),
    response: fc.oneof(
      { weight: 30, arbitrary: inWrites(response(base)) },
      {
        weight: 5,
        arbitrary: inWrites(mutated(response(base), [...dictionary, "\r\n\r\n", "HTTP/1.1 100 x\r\n\r\n"])),
      },
      { weight: 1, arbitrary: inWrites(anyBytes(200)) },
      { weight: 1, arbitrary: endless(base) },
    ),
    end: fc.oneof(
      { weight: 8, arbitrary: fc.constant("close" as const) },
      { weight: 2, arbitrary: fc.constant("reset" as const) },
      { weight: 1, arbitrary: fc.constant("keep open" as const) },
    ),
  });

function attack(name: string, llmEngine: LlmEngineApi, of: readonly Dialect[]): Attack {
  const bases = of.map(basesOf).filter((list) => list.length > 0);
  const base = fc.constantFrom(...bases).chain((list) => fc.constantFrom(...list));
  return { name, llmEngine, shots: base.chain(shot) };
}

const isLlmEngineV1 = ({ name, variant }: Dialect): boolean => name === "llm-engine" && variant === "v1";

/** Hostile bytes from every provider. */
export const providers = attack(
  "providers",
  "v2",
  dialects.filter((dialect) => !isLlmEngineV1(dialect)),
);

/** LLM Engine's API v1 needs a process of its own. */
export const llmEngineV1 = attack("llm-engine-v1", "v1", dialects.filter(isLlmEngineV1));

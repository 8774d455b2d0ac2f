import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { CompleteChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_service_pb.js";
import { frame } from "../../server/raw-calls.ts";
import { scriptEcho } from "../../support/requests.ts";
import { apiNames, apis } from "../../surfaces/apis.ts";
import type { Attack } from "../driver.ts";
import { anyBytes, inWrites, mutated } from "../mutate.ts";
import { type Bytes, type ConnectionShot, toBytes } from "../shot.ts";

const chat = scriptEcho({ text: "hi" });
const message = toBinary(CompleteChatRequestSchema, create(CompleteChatRequestSchema, { chat }));
const connectPath = "/dragoman.v1.ChatService/CompleteChat";

/** Paths with a valid content type and body. */
const contents: readonly (readonly [path: string, type: string, body: Bytes])[] = [
  ...apiNames.map((name) => [apis[name].path, "application/json", JSON.stringify(apis[name].full)] as const),
  [
    connectPath,
    "application/json",
    '{"chat":{"model":"echo/echo","messages":[{"role":"ROLE_USER","parts":[{"text":"a"}]}]}}',
  ],
  [connectPath, "application/proto", toBytes(message)],
  [connectPath, "application/grpc-web+proto", toBytes(frame(message))],
  [connectPath, "application/grpc-web-text", frame(message).toString("base64")],
  ["/dragoman.v1.ChatService/StreamChat", "application/connect+proto", toBytes(frame(message))],
  ["/dragoman.v1.ModelService/ListModels", "application/json", "{}"],
  ["/dragoman.admin.v1.RoutingService/ListTargets", "application/json", "{}"],
  ["/v1/models", "text/plain", ""],
  ["/healthz", "text/plain", ""],
];

const oddTargets = [
  ...["//", "*", "", "/%", "/%zz", "/..", "/v1/../healthz", "?", "#", "/?", "http://", "http:///", "http://[::1/"],
  ...["http://localhost/healthz", "https://x:99999/v1/models", "localhost:80", "/v4/models/%E0%A4%A/chat-completions"],
  ...[`/${"a".repeat(20_000)}`, "/v1/models/%00", "/v1/models/a%2Fb", "/\x80\xff", "/v1/models?x=1&x=2", "/__proto__"],
];
const oddHosts = [
  "",
  "a b",
  "localhost:99999",
  "[::1",
  "evil.example",
  "localhost, localhost",
  "\x80",
  "x".repeat(9_000),
];
/** Header fields that the HTTP parser accepts. */
const oddHeaders = [
  ...["content-encoding: gzip", "content-encoding: br", "content-encoding: x", "expect: 100-continue", "expect: x"],
  ...["connection: close", "connection: upgrade", "upgrade: h2c", "connection: keep-alive, \x80", "upgrade: websocket"],
  ...["http2-settings: AAMAAABkAARAAAAAAAIAAAAA", "sec-websocket-key: eA==", "origin: null"],
  ...["origin: http://evil.example", "access-control-request-method: POST", "connect-protocol-version: 9"],
  ...["connect-timeout-ms: 1", "connect-timeout-ms: -1", "connect-timeout-ms: 99999999999", "grpc-timeout: 1n"],
  ...["grpc-timeout: x", "grpc-encoding: gzip", "grpc-encoding: x", "connect-content-encoding: gzip"],
  ...["x-request-id: a\tb", "x-request-id: \x80", `x-request-id: ${"a".repeat(500)}`, "authorization: Bearer x"],
  ...["authorization: x", "x-selected-account-id: \xe9", "cookie: a=b", "te: trailers", "trailer: x"],
  ...["__proto__: x", "constructor: x", "accept-encoding: gzip, br", "accept: text/event-stream"],
];

/** Header fields that the HTTP parser rejects, or that contradict others. */
const brokenHeaders = [
  ...["transfer-encoding: chunked", "transfer-encoding: gzip, chunked", "transfer-encoding: identity", "host: other"],
  ...["content-length: 0", "content-length: -1", "content-length: 99999999999999999999", "content-length: 5, 5"],
  ...["content-length:", "content-type:", " folded: x", "a b: c", ": x", "no-colon", "x: \x00"],
  `x: ${"y".repeat(17_000)}`,
];

/** Usually the first arbitrary, once in `times` the second. */
const rarely = <Usual, Odd>(times: number, usual: Usual, odd: fc.Arbitrary<Odd>): fc.Arbitrary<Usual | Odd> =>
  fc.oneof({ weight: times, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: odd });

const line = "\r\n";

const request = fc
  .record({
    content: fc.constantFrom(...contents),
    method: rarely(
      12,
      "POST",
      fc.constantFrom("GET", "HEAD", "OPTIONS", "CONNECT", "PUT", "DELETE", "TRACE", "PRI", "post", "PURGE", ""),
    ),
    target: rarely(8, undefined, fc.constantFrom(...oddTargets)),
    version: rarely(15, "HTTP/1.1", fc.constantFrom("HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/1.1 x", "")),
    host: rarely(12, undefined, fc.constantFrom(...oddHosts)),
    odd: rarely(1, [], fc.array(fc.constantFrom(...oddHeaders), { maxLength: 2 })),
    broken: rarely(12, [], fc.array(fc.constantFrom(...brokenHeaders), { maxLength: 2 })),
    manyHeaders: rarely(30, 0, fc.constantFrom(90, 200, 3_000)),
    isChunked: fc.boolean(),
    chunks: fc.array(fc.nat(60), { maxLength: 5 }),
    lengthError: rarely(10, 0, fc.integer({ min: -20, max: 20 })),
  })
  .map(({ content: [path, type, body], target, host, ...facts }): Bytes => {
    const head = [
      `${facts.method} ${target ?? path} ${facts.version}`,
      `host: ${host ?? "localhost"}`,
      `content-type: ${type}`,
      facts.isChunked
        ? "transfer-encoding: chunked"
        : `content-length: ${Math.max(0, body.length + facts.lengthError)}`,
      ...facts.odd,
      ...facts.broken,
      ...Array.from({ length: facts.manyHeaders }, (_, index) => `x-${index}: y`),
    ];
    return head.join(line) + line + line + (facts.isChunked ? chunked(body, facts.chunks, facts.lengthError) : body);
  });

/** Encodes a body in chunks. `error` is what is wrong with the size of each one. */
function chunked(body: Bytes, sizes: readonly number[], error: number): Bytes {
  const chunks: string[] = [];
  let rest = body;
  for (const size of [...sizes, body.length]) {
    const chunk = rest.slice(0, size);
    rest = rest.slice(size);
    if (chunk !== "") chunks.push(Math.max(1, chunk.length + error).toString(16) + line + chunk + line);
  }
  return `${chunks.join("")}0${line}${line}`;
}

const dictionary = [
  ...["\r\n", "\n", "\r", "\r\n\r\n", "\0", " ", ":", "\t", "\x80", "0\r\n\r\n", "ffffffffffffffff\r\n", "-1\r\n"],
  ...["HTTP/1.1", "GET / HTTP/1.1\r\n\r\n", "Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n", "1;a=b\r\n"],
  ...["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "a".repeat(20_000)],
];

/** The last request of a connection, after which the server closes it. */
const last = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

const connection = fc
  .array(
    fc.oneof(
      { weight: 12, arbitrary: request },
      { weight: 4, arbitrary: mutated(request, dictionary) },
      { weight: 1, arbitrary: anyBytes(60) },
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((requests) => requests.join("") + last);

/** A request whose body never ends, or is larger than the maximum. */
const huge = fc
  .tuple(fc.constantFrom(...contents), fc.constantFrom(1, 20), fc.boolean())
  .map(([[path, type, body], mebibytes, isChunked]): ConnectionShot => {
    const framing = isChunked ? "transfer-encoding: chunked" : `content-length: ${mebibytes * 2 ** 20 + body.length}`;
    const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\n${framing}\r\n\r\n`;
    const filler = isChunked ? `10000\r\n${"[".repeat(65_536)}\r\n` : " ".repeat(65_536);
    const start = isChunked ? `${body.length.toString(16)}\r\n${body}\r\n` : body;
    const writes = [{ bytes: head + (body === "" ? "" : start) }, { bytes: filler, times: 16 * mebibytes }];
    return { to: "HTTP connection", writes, hurried: false };
  });

/** Mutated HTTP/1.1 bytes for the HTTP listener. */
export const http1: Attack = {
  name: "http1",
  shots: fc.oneof(
    {
      weight: 40,
      arbitrary: fc.record({
        to: fc.constant("HTTP connection" as const),
        writes: inWrites(connection),
        hurried: rarely(3, false, fc.constant(true)),
      }),
    },
    { weight: 1, arbitrary: huge },
  ),
};

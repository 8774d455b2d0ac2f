import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { GatewayError } from "../../src/errors.ts";
import type { Adapter } from "../../src/providers/adapter.ts";
import { startAttempt } from "../../src/routing/attempt.ts";
import { adapter as chatAdapter, collect, model, request } from "../providers/chat-completions/harness.ts";
import { configured } from "../support/configured.ts";

const sse = [
  'data: {"choices":[{"index":0,"delta":{"content":"Grüße "}}]}',
  'data: {"choices":[{"index":0,"delta":{"content":"🙂"},"finish_reason":"stop"}]}',
  "data: [DONE]",
  "",
].join("\n\n");
const json = JSON.stringify({
  choices: [{ index: 0, message: { role: "assistant", content: "Grüße 🙂" }, finish_reason: "stop" }],
});
const lines = sse.replaceAll("data: ", "").replaceAll("\n\n", "\n");
const types = { events: "text/event-stream", json: "application/json", text: "text/plain" };

/** Raw HTTP response. */
interface Raw {
  readonly status?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** Bytes before the status line. */
  readonly before?: string;
  /** Bytes of each write. Default: all. */
  readonly step?: number;
}

/** Starts a server on a plain socket that answers each request with the same bytes. */
async function serve({ status = "200 OK", headers = {}, body, before = "", step = Number.POSITIVE_INFINITY }: Raw) {
  const sockets = new Set<Socket>();
  const bytes = Buffer.from(body);
  const length = "transfer-encoding" in headers ? {} : { "content-length": String(bytes.length) };
  const head = Object.entries({ ...length, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const all = Buffer.concat([Buffer.from(`${before}HTTP/1.1 ${status}\r\n${head.join("")}\r\n`), bytes]);
  const server: Server = createServer((socket) => {
    sockets.add(socket.setNoDelay(true).on("error", () => {}));
    let seen = "";
    socket.on("data", async (data) => {
      seen += data.toString("latin1");
      const end = seen.indexOf("\r\n\r\n");
      const size = Number(/content-length: (\d+)/i.exec(seen)?.[1]);
      if (end < 0 || seen.length < end + 4 + size) return;
      seen = "";
      for (let at = 0; at < all.length; at += step) {
        await new Promise((resolve) => socket.write(all.subarray(at, at + step), resolve));
      }
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    baseUrl: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), "close");
    },
  };
}

interface Outcome {
  readonly text: string;
  readonly error: GatewayError | undefined;
}

async function read(raw: Raw, whole: boolean, create: (baseUrl: string) => Adapter = chatAdapter): Promise<Outcome> {
  await using server = await serve(raw);
  const adapter = create(server.baseUrl);
  const target = { adapter, model: model() };
  const options = { signal: new AbortController().signal, holder: "account:a", whole };
  const { events, error } = await collect(startAttempt(target, request(), options).events);
  await adapter.close?.();
  const text = events.map(({ case: kind, value }) =>
    kind === "delta" && value.delta.case === "text" ? value.delta.value : "",
  );
  return { text: text.join(""), error };
}

/** Bodies that mean the same answer, by what is unusual about them. */
const understood: Readonly<Record<string, Raw>> = {
  "an unasked 100 Continue": {
    before: "HTTP/1.1 100 Continue\r\n\r\n",
    headers: { "content-type": types.events },
    body: sse,
  },
  "an unasked 100 Continue with headers, in single bytes": {
    before: "HTTP/1.1 100 Continue\r\nx-a: HTTP/1.1 100\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
    headers: { "content-type": types.json },
    body: json,
    step: 1,
  },
  "103 Early Hints, then 100 Continue": {
    before: "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
    headers: { "content-type": types.json },
    body: json,
  },
  "gzip events": { headers: { "content-type": types.events, "content-encoding": "gzip" }, body: gzipSync(sse) },
  "gzip JSON in single bytes": {
    headers: { "content-type": types.json, "content-encoding": "x-gzip" },
    body: gzipSync(json),
    step: 1,
  },
  "brotli events": {
    headers: { "content-type": types.events, "content-encoding": "br" },
    body: brotliCompressSync(sse),
  },
  "zstd JSON": { headers: { "content-type": types.json, "content-encoding": "zstd" }, body: zstdCompressSync(json) },
  "deflate JSON": { headers: { "content-type": types.json, "content-encoding": "deflate" }, body: deflateSync(json) },
  "raw deflate events": {
    headers: { "content-type": types.events, "content-encoding": "deflate" },
    body: deflateRawSync(sse),
  },
  "two compressions": {
    headers: { "content-type": types.json, "content-encoding": "gzip, br" },
    body: brotliCompressSync(gzipSync(json)),
  },
  "gzip without its last bytes": {
    headers: { "content-type": types.events, "content-encoding": "gzip" },
    body: gzipSync(sse).subarray(0, -8),
  },
  "a plain body with the header of gzip": {
    headers: { "content-type": types.json, "content-encoding": "gzip" },
    body: json,
  },
  "a charset as content-encoding": { headers: { "content-type": types.json, "content-encoding": "UTF-8" }, body: json },
  "a byte order mark before events": { headers: { "content-type": types.events }, body: `\uFEFF${sse}`, step: 1 },
  "two byte order marks before events": {
    headers: { "content-type": types.events },
    body: `\uFEFF\uFEFF${sse}`,
    step: 1,
  },
  "two byte order marks before JSON": { headers: { "content-type": types.json }, body: `\uFEFF\uFEFF${json}` },
  "a byte order mark before JSON": { headers: { "content-type": types.json }, body: `\uFEFF${json}` },
  "JSON as text/plain": { headers: { "content-type": types.text }, body: json },
  "JSON without content-type, in single bytes": { body: json, step: 1 },
  "JSON as text/event-stream": { headers: { "content-type": types.events }, body: json },
  "JSON after blank keep-alives": { headers: { "content-type": types.json }, body: `\n\n  \r\n${json}\n` },
  "indented JSON": { headers: { "content-type": types.text }, body: JSON.stringify(JSON.parse(json), undefined, 2) },
  "events as application/octet-stream": { headers: { "content-type": "application/octet-stream" }, body: sse },
  "events without content-type, in single bytes": { body: sse, step: 1 },
  "events as application/json": { headers: { "content-type": types.json }, body: `: comment\n\n${sse}` },
  "events that end with a name": { headers: { "content-type": types.json }, body: `event: x\n${sse}`, step: 1 },
  "a JSON answer": { headers: { "content-type": types.json }, body: json },
  "a stream of events": { headers: { "content-type": types.events }, body: sse },
  "lines of JSON": { headers: { "content-type": "application/x-ndjson" }, body: lines },
  "lines of JSON as application/json, in single bytes": {
    headers: { "content-type": types.json },
    body: lines,
    step: 1,
  },
  "lines of JSON as text/event-stream": { headers: { "content-type": types.events }, body: lines },
  "a JSON text sequence": {
    headers: { "content-type": "application/json-seq" },
    body: lines.replaceAll(/^(?=\{)/gm, "\u001e"),
  },
  "CR line ends": { headers: { "content-type": types.events }, body: sse.replaceAll("\n", "\r") },
  "mixed line ends": {
    headers: { "content-type": types.events },
    body: sse.replace("\n\n", "\r\n\r\n").replace(/\n\n(?=data: \[)/, "\r\r"),
    step: 1,
  },
  "trailers after the chunks": {
    headers: { "content-type": types.json, "transfer-encoding": "chunked", trailer: "x-checksum" },
    body: `${Buffer.byteLength(json).toString(16)};a=b\r\n${json}\r\n0\r\nx-checksum: 1\r\n\r\n`,
  },
  "a wrong charset": { headers: { "content-type": "application/json; charset=ISO-8859-1" }, body: json },
};

/** Bodies that are no answer, and what the error must name. */
const named: Readonly<Record<string, Raw & { readonly names: RegExp }>> = {
  "an HTML page": {
    headers: { "content-type": "text/html" },
    body: "\n<!doctype html><title>Login</title>",
    names: /an HTML page: is base_url right/,
  },
  "an HTML page as JSON": { headers: { "content-type": types.json }, body: "<html></html>", names: /an HTML page/ },
  "an HTML page with 404": {
    status: "404 Not Found",
    headers: { "content-type": "text/html" },
    body: "<html></html>",
    names: /an HTML page \(HTTP 404\): is base_url right/,
  },
  "an HTML page with 405": { status: "405 No", body: "<html></html>", names: /an HTML page \(HTTP 405\)/ },
  XML: { headers: { "content-type": types.json }, body: '<?xml version="1.0"?><a/>', names: /an XML document/ },
  "an empty event stream": { headers: { "content-type": types.events }, body: "", names: /response is empty/ },
  "an empty JSON body": { headers: { "content-type": types.json }, body: "", names: /it is empty/ },
  "an empty body without content-type": { body: "", names: /response is empty/ },
  "a blank body": { headers: { "content-type": types.json }, body: " \r\n\n", names: /it is empty/ },
  "a redirect to another host": {
    status: "307 Temporary Redirect",
    headers: { location: "https://login.example.com:8443/sso?token=secret" },
    body: "",
    names: /redirects to login\.example\.com:8443 \(HTTP 307\)/,
  },
  "a redirect to another path": {
    status: "301 Moved",
    headers: { location: "/v2" },
    body: "",
    names: /redirects.*HTTP 301/,
  },
  "a redirect without a location": { status: "302 Found", body: "", names: /redirects \(HTTP 302\)/ },
  "UTF-16 with a byte order mark": { body: Buffer.from(`\uFEFF${json}`, "utf16le"), names: /UTF-16/ },
  "UTF-16 without a byte order mark": {
    headers: { "content-type": types.json },
    body: Buffer.from(json, "utf16le"),
    names: /UTF-16/,
  },
  "UTF-16 events": {
    headers: { "content-type": types.events },
    body: Buffer.from(sse, "utf16le").swap16(),
    names: /UTF-16/,
  },
  "a latin1 charset": {
    headers: { "content-type": "application/json; charset=iso-8859-1" },
    body: Buffer.from(json, "latin1"),
    names: /charset is iso-8859-1 and not UTF-8/,
  },
  "latin1 events": {
    headers: { "content-type": 'text/event-stream; charset="latin1"' },
    body: Buffer.from(sse, "latin1"),
    names: /charset is latin1 and not UTF-8/,
  },
  "an unknown content-encoding": {
    headers: { "content-type": types.json, "content-encoding": "lzma" },
    body: json,
    names: /content encoding lzma/,
  },
  "invalid gzip data": {
    headers: { "content-type": types.json, "content-encoding": "gzip" },
    body: Buffer.concat([gzipSync(json).subarray(0, 10), Buffer.from("no deflate data")]),
    names: /content encoding gzip/,
  },
  "a decompression bomb of JSON": {
    headers: { "content-type": types.json, "content-encoding": "gzip" },
    body: gzipSync(`{"a":"${"x".repeat(40_000_000)}"}`),
    names: /too long/,
  },
  "a decompression bomb of events": {
    headers: { "content-type": types.events, "content-encoding": "br" },
    body: brotliCompressSync(`data: ${"x".repeat(40_000_000)}\n\n`),
    names: /too long/,
  },
  "a decompression bomb of comments": {
    headers: { "content-type": types.events, "content-encoding": "zstd" },
    body: zstdCompressSync(`: ${"x".repeat(100)}\n`.repeat(1_000_000)),
    names: /too many events or comments|too many bytes/,
  },
};

describe.each([
  ["streamed", false],
  ["whole", true],
] as const)("an unusual body, %s", (_, whole) => {
  it.each(Object.entries(understood))("is understood: %s", async (_name, raw) => {
    const { text, error } = await read(raw, whole);
    expect(error?.message).toBeUndefined();
    expect(text).toBe("Grüße 🙂");
  });

  it.each(Object.entries(named))("is named: %s", async (_name, { names, ...raw }) => {
    const { text, error } = await read(raw, whole);
    expect(error?.message).toMatch(names);
    expect(error?.message).not.toContain("secret");
    expect(text.length).toBeLessThan(40);
  });

  it("of an error is understood: compressed, with a byte order mark, in another charset", async () => {
    const error = { error: { message: "größer", code: "x" } };
    const bodies: readonly (readonly [string | Uint8Array, Readonly<Record<string, string>>])[] = [
      [gzipSync(JSON.stringify(error)), { "content-encoding": "gzip" }],
      [`\uFEFF${JSON.stringify(error)}`, {}],
      [Buffer.from(JSON.stringify(error), "latin1"), { "content-type": "application/json; charset=ISO-8859-1" }],
      [Buffer.from(`\uFEFF${JSON.stringify(error)}`, "utf16le"), {}],
    ];
    for (const [body, headers] of bodies) {
      const { error: failure } = await read({ status: "400 Bad Request", headers, body }, whole);
      expect(failure).toMatchObject({ reason: "INVALID_REQUEST", facts: { provider: { code: "x" } } });
      expect(failure?.message).toContain("größer");
    }
  });

  it("of an error that cannot be decompressed keeps the meaning of its status", async () => {
    const headers = { "content-encoding": "lzma" };
    const { error } = await read({ status: "429 Too Many Requests", headers, body: "?" }, whole);
    expect(error?.reason).toBe("PROVIDER_RATE_LIMITED");
  });
});

describe("a provider that answers in another form than the requested one", () => {
  it("is understood by Anthropic's adapter: a whole message", async () => {
    const message = {
      ...{ id: "msg_1", type: "message", role: "assistant", model: "m", stop_reason: "end_turn", stop_sequence: null },
      content: [{ type: "text", text: "Grüße 🙂" }],
      usage: { input_tokens: 3, output_tokens: 4 },
    };
    const create = (baseUrl: string) => configured("anthropic", baseUrl);
    const raw = { headers: { "content-type": types.json }, body: JSON.stringify(message) };
    expect(await read(raw, false, create)).toEqual({ text: "Grüße 🙂", error: undefined });
  });

  it.each([
    ["JSON", json, /JSON and not an AWS event stream/],
    ["server-sent events", sse, /server-sent events and not an AWS event stream/],
    ["an HTML page", "<html></html>", /an HTML page/],
  ])("is named by Bedrock's adapter: %s", async (_, body, names) => {
    const create = (baseUrl: string) =>
      configured("bedrock", baseUrl, { environment: { AWS_BEARER_TOKEN_BEDROCK: "k", AWS_REGION: "us-east-1" } });
    const { error } = await read({ headers: { "content-type": "x" }, body }, false, create);
    expect(error?.message).toMatch(names);
  });
});

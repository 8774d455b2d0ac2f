import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Attributes by their names. */
export type Attributes = Readonly<Record<string, unknown>>;

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: the span has no parent. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[];
  /** `unset`, `ok` or `error`. */
  readonly status: string;
}

export interface ReceivedPoint {
  readonly attributes: Attributes;
  /** Value of a number, or the sum of a histogram. */
  readonly value: number;
  /** Counts of the buckets of a histogram. */
  readonly buckets: readonly number[];
  readonly bounds: readonly number[];
}

export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  readonly kind: "gauge" | "sum" | "histogram";
  readonly points: readonly ReceivedPoint[];
}

/** One request of an exporter. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly resource: Attributes;
  readonly spans: readonly ReceivedSpan[];
  readonly metrics: readonly ReceivedMetric[];
}

/** HTTP server that decodes OTLP in protobuf. */
export interface OtlpReceiver extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly Received[];
  /** All spans so far. */
  readonly spans: readonly ReceivedSpan[];
  /** Resolves when a request that fits has arrived. */
  received(fits: (request: Received) => boolean): Promise<Received>;
}

/** Values of a message by field number. Each is bytes, or a number of the wire. */
type Fields = ReadonlyMap<number, readonly (Uint8Array | bigint)[]>;

/**
 * Reads a message without its schema. The field numbers below are those of
 * https://github.com/open-telemetry/opentelemetry-proto, whose messages are stable.
 */
function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, (Uint8Array | bigint)[]>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const values = fields.get(number) ?? [];
    fields.set(number, values);
    if (type === WireType.LengthDelimited) values.push(reader.bytes());
    else if (type === WireType.Bit64) values.push(BigInt(reader.fixed64()));
    else if (type === WireType.Bit32) values.push(BigInt(reader.fixed32()));
    else values.push(BigInt(reader.uint64()));
  }
  return fields;
}

const messages = (fields: Fields, number: number): readonly Fields[] =>
  (fields.get(number) ?? []).map((value) => fieldsOf(value as Uint8Array));
const bytesOf = (fields: Fields, number: number) => Buffer.from((fields.get(number)?.at(-1) ?? "") as Uint8Array);
const textOf = (fields: Fields, number: number) => bytesOf(fields, number).toString();
const hexOf = (fields: Fields, number: number) => bytesOf(fields, number).toString("hex");
const wholeOf = (fields: Fields, number: number) => Number(fields.get(number)?.at(-1) ?? 0);

function doubleOf(bits: bigint): number {
  return new Float64Array(new BigUint64Array([bits]).buffer)[0] as number;
}

function anyValue(value: Fields | undefined): unknown {
  if (value === undefined) return undefined;
  if (value.has(1)) return textOf(value, 1);
  if (value.has(2)) return wholeOf(value, 2) === 1;
  if (value.has(3)) return Number(BigInt.asIntN(64, value.get(3)?.[0] as bigint));
  if (value.has(4)) return doubleOf(value.get(4)?.[0] as bigint);
  return messages(value, 5).flatMap((array) => messages(array, 1).map(anyValue));
}

function attributesOf(fields: Fields, number: number): Attributes {
  return Object.fromEntries(messages(fields, number).map((pair) => [textOf(pair, 1), anyValue(messages(pair, 2)[0])]));
}

const kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const statuses = ["unset", "ok", "error"];

function spanOf(span: Fields): ReceivedSpan {
  const [status] = messages(span, 15);
  return {
    ...{ traceId: hexOf(span, 1), spanId: hexOf(span, 2), parentSpanId: hexOf(span, 4), traceState: textOf(span, 3) },
    ...{ name: textOf(span, 5), kind: kinds[wholeOf(span, 6)] ?? "" },
    ...{ startMs: wholeOf(span, 7) / 1e6, endMs: wholeOf(span, 8) / 1e6 },
    attributes: attributesOf(span, 9),
    events: messages(span, 11).map((event) => ({ name: textOf(event, 2), attributes: attributesOf(event, 3) })),
    status: statuses[status ? wholeOf(status, 3) : 0] ?? "",
  };
}

/** Reads packed numbers of 64 bits. */
function packed(fields: Fields, number: number): readonly bigint[] {
  const bytes = bytesOf(fields, number);
  return Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readBigUInt64LE(index * 8));
}

function metricOf(metric: Fields): ReceivedMetric {
  const [gauge, sum, histogram] = [5, 7, 9].map((number) => messages(metric, number)[0]);
  const data = gauge ?? sum ?? histogram;
  return {
    name: textOf(metric, 1),
    unit: textOf(metric, 3),
    kind: gauge ? "gauge" : sum ? "sum" : "histogram",
    points: (data ? messages(data, 1) : []).map((point) =>
      histogram
        ? {
            attributes: attributesOf(point, 9),
            value: doubleOf((point.get(5)?.[0] ?? 0n) as bigint),
            buckets: packed(point, 6).map(Number),
            bounds: packed(point, 7).map(doubleOf),
          }
        : {
            attributes: attributesOf(point, 7),
            value: point.has(6) ? wholeOf(point, 6) : doubleOf((point.get(4)?.[0] ?? 0n) as bigint),
            ...{ buckets: [], bounds: [] },
          },
    ),
  };
}

/** @param status HTTP status of the responses */
export async function startOtlpReceiver(status = 200): Promise<OtlpReceiver> {
  const requests: Received[] = [];
  const waiting = new Set<() => void>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const sent = Buffer.concat(chunks);
    const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent;
    const groups = messages(fieldsOf(body), 1);
    const isTraces = request.url?.endsWith("/v1/traces") ?? false;
    const parts = groups.flatMap((group) => messages(group, 2).flatMap((scope) => messages(scope, 2)));
    requests.push({
      path: request.url ?? "",
      headers: request.headers,
      resource: Object.assign({}, ...groups.flatMap((group) => messages(group, 1).map((r) => attributesOf(r, 1)))),
      spans: isTraces ? parts.map(spanOf) : [],
      metrics: isTraces ? [] : parts.map(metricOf),
    });
    response.writeHead(status, { "content-type": "application/x-protobuf" });
    response.end();
    for (const check of waiting) check();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get spans() {
      return requests.flatMap(({ spans }) => spans);
    },
    received(fits) {
      return new Promise((resolve) => {
        const check = (): void => {
          const found = requests.find(fits);
          if (found === undefined) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      });
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}

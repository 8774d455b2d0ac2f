import { z } from "zod";
import { malformedAnswer } from "../../upstream/errors.ts";
import type { Upstream } from "../../upstream/http.ts";
import type { AttemptContext, UpstreamCall } from "../../upstream/upstream-call.ts";
import type { EmbeddedBatch } from "../embedding-api.ts";
import { exchangeWhole, type WholeExchange } from "./whole-exchange.ts";

/**
 * Values of all vectors of one response, at most. As base64, such a response has 11 MB, which are decoded in 30 ms; as
 * JSON numbers, a quarter of them has as many bytes, and takes 60 ms.
 */
export const mostValues = { base64: 2_000_000, numbers: 500_000 } as const;

/** Bounds of the JSON of a response. Numbers cost nothing but their count. */
const jsonBounds = { values: 3_000_000, cost: 100_000 };

/** Form of a vector in JSON: numbers, or base64 of 32-bit floats or of 8-bit integers. */
export type VectorForm = "floats" | "bytes";

/** Sends one request for embeddings and yields its response. */
export function exchangeVectors<Answer>(
  upstream: Upstream,
  context: AttemptContext,
  prepare: (call: UpstreamCall) => Promise<WholeExchange<Answer, EmbeddedBatch>>,
): AsyncIterable<readonly EmbeddedBatch[]> {
  return exchangeWhole(upstream, context, async (call) => ({ bounds: jsonBounds, ...(await prepare(call)) }));
}

/**
 * A vector as it came: `toVector` checks its values, since a schema would take longer than all the rest.
 */
export const rawVector = z.custom<string | readonly unknown[]>(
  (value) => typeof value === "string" || Array.isArray(value),
);

/** Converts a vector: a list of numbers, or base64. */
export function toVector(value: string | readonly unknown[], call: UpstreamCall, form: VectorForm = "floats") {
  if (typeof value !== "string") return ofNumbers(value, call);
  const bytes = Buffer.from(value, "base64");
  if (form === "bytes") return Float32Array.from(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  if (bytes.length % Float32Array.BYTES_PER_ELEMENT !== 0) {
    throw malformedAnswer(call, "a vector in base64 has an incomplete value");
  }
  // Copied, since a Float32Array must begin at a multiple of four.
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

function ofNumbers(values: readonly unknown[], call: UpstreamCall): Float32Array {
  const vector = new Float32Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (typeof value !== "number") throw malformedAnswer(call, "a vector has a value that is not a number");
    vector[index] = value;
  }
  return vector;
}

/** An item of a list in which each vector has its index. */
interface Indexed {
  readonly index?: number | undefined;
  readonly embedding: string | readonly unknown[];
}

/**
 * Returns the vectors of a list in the order of their indexes. A list without any indexes has the order of the inputs.
 * Throws PROVIDER_FAULT if an index is missing, out of range or twice there.
 */
export function inOrder(items: readonly Indexed[], call: UpstreamCall, form?: VectorForm): readonly Float32Array[] {
  if (items.every(({ index }) => index === undefined)) return items.map((item) => toVector(item.embedding, call, form));
  const vectors = new Array<Float32Array | undefined>(items.length).fill(undefined);
  for (const { index = -1, embedding } of items) {
    if (!(index >= 0 && index < items.length)) throw malformedAnswer(call, "the index of a vector is out of range");
    if (vectors[index] !== undefined) throw malformedAnswer(call, `it has two vectors for input ${index}`);
    vectors[index] = toVector(embedding, call, form);
  }
  return vectors.filter((vector) => vector !== undefined);
}

import type { ServerResponse } from "node:http";
import { drained } from "../../drained.ts";
import type { EmbedResponse } from "../../gen/dragoman/v1/embedding_service_pb.js";
import { Pace } from "../../pace.ts";
import type { Encoding } from "./embeddings.ts";

/** Characters of a response that are written at once. */
const pieceLength = 256 * 1024;

/**
 * Writes a response of Embed as OpenAI's JSON value, in pieces: 2,048 vectors of 3,072 numbers have 80 MB, which would
 * block the event loop for a second. Resolves when the client has read enough of it.
 */
export async function writeEmbeddings(
  response: ServerResponse,
  { embeddings, model, usage }: EmbedResponse,
  encoding: Encoding,
  signal: AbortSignal,
): Promise<void> {
  const toJson = encoding === "base64" ? base64Of : numbersOf;
  const pace = new Pace();
  response.writeHead(200, { "content-type": "application/json" });
  let piece = '{"object":"list","data":[';
  for (const [place, { index, values }] of embeddings.entries()) {
    piece += `${place === 0 ? "" : ","}{"object":"embedding","index":${index},"embedding":${toJson(values)}}`;
    if (pace.isLong) await pace.nextTurn();
    if (piece.length < pieceLength) continue;
    const isWritten = response.write(piece);
    piece = "";
    if (!isWritten) await drained(response, signal);
    if (response.destroyed) return;
  }
  const { inputTokens = 0, totalTokens = 0 } = usage ?? {};
  const rest = { model, usage: { prompt_tokens: inputTokens, total_tokens: totalTokens } };
  response.end(`${piece}],${JSON.stringify(rest).slice(1)}`);
}

function base64Of(values: ArrayLike<number>): string {
  const { buffer, byteOffset, byteLength } = floatsOf(values);
  return `"${Buffer.from(buffer, byteOffset, byteLength).toString("base64")}"`;
}

/** Dragoman's own responses have the values in a Float32Array. */
function floatsOf(values: ArrayLike<number>): Float32Array {
  return values instanceof Float32Array ? values : new Float32Array(values);
}

/**
 * Writes each value with the fewest digits, at most nine, that mean the same 32-bit float: as a 64-bit float it would
 * have 17 digits, of which half say nothing.
 */
function numbersOf(values: ArrayLike<number>): string {
  let text = "[";
  for (let index = 0; index < values.length; index++) {
    if (index > 0) text += ",";
    text += shortest(values[index] ?? 0);
  }
  return `${text}]`;
}

function shortest(value: number): string {
  const eight = Number(value.toPrecision(8));
  return String(Math.fround(eight) === value ? eight : Number(value.toPrecision(9)));
}

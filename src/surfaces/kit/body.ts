import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { firstChange, halfEscape, halfProblem } from "../../chat/validation/halves.ts";
import { excessOf, mostLevels } from "../../chat/validation/json-bounds.ts";
import { GatewayError, invalidRequest } from "../../errors.ts";
import { placeOfSyntaxError } from "../../json-syntax.ts";
import { wellFormed } from "../../well-formed.ts";

const decoders = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress } as const;

/**
 * Reads and decompresses a request body. Throws REQUEST_TOO_LARGE as soon as the decompressed body exceeds `maxBytes`,
 * UNSUPPORTED_ENCODING for an unknown content-encoding, INVALID_REQUEST if the body does not match its encoding or is
 * not UTF-8, and CANCELLED if the client disconnects.
 *
 * @param hold Receives the decompressed bytes so far, and throws if that is too much.
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  hold: (bytes: number) => void,
): Promise<string> {
  const encoding = request.headers["content-encoding"]?.trim().toLowerCase() || "identity";
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of decoded(request, encoding)) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        throw new GatewayError("REQUEST_TOO_LARGE", `the body exceeds the maximum of ${maxBytes} bytes`);
      }
      hold(bytes);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    if (request.destroyed && !request.complete) {
      throw new GatewayError("CANCELLED", "the client disconnected before it sent the whole request body");
    }
    throw invalidRequest([{ root: "body", field: [], description: `cannot be decoded as ${encoding}` }]);
  }
  return textOf(Buffer.concat(chunks));
}

// JSON must be UTF-8 (RFC 8259, section 8.1). The decoder ignores a byte order mark, which the RFC allows.
const utf8 = new TextDecoder("utf-8", { fatal: true });

function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalidRequest([{ root: "body", field: [], description: "must be UTF-8" }]);
  }
}

/**
 * Decompresses a body. If the reader stops before the end, the request stays open, because the error response uses the
 * same connection.
 */
function decoded(request: IncomingMessage, encoding: string): AsyncIterable<Buffer> {
  if (encoding === "identity") return request.iterator({ destroyOnReturn: false });
  if (!isEncoding(encoding)) {
    const message = `content-encoding ${encoding} is not supported; use ${Object.keys(decoders).join(", ")} or none`;
    throw new GatewayError("UNSUPPORTED_ENCODING", message);
  }
  const decoder: Readable = request.pipe(decoders[encoding]());
  request.once("close", () => {
    if (!request.complete) decoder.destroy(new Error("the connection closed before the end of the body"));
  });
  return decoder;
}

function isEncoding(name: string): name is keyof typeof decoders {
  return Object.hasOwn(decoders, name);
}

/**
 * Discards the unread rest of a rejected body. Closes the connection if the rest exceeds `maxBytes`. Many clients read
 * the error response only after they have sent the body; closing the connection earlier would lose the response.
 */
export function discardRest(request: IncomingMessage, maxBytes: number): void {
  let discarded = 0;
  request.on("data", (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > maxBytes) request.destroy();
  });
  // Resume explicitly: a decompressor may have paused the request.
  request.resume();
}

/** Maximum characters of an integer to parse exactly, which takes quadratic time. Longer integers are rounded. */
const mostDigits = 400;

/**
 * Parses a JSON body. Integers that a JavaScript number would round become bigint, since seeds have 64 bits. Throws
 * INVALID_REQUEST if the text is not JSON or nests too deeply, and REQUEST_TOO_LARGE if it has too many values.
 */
export function parseBody(text: string, maxValues: number): unknown {
  const excess = excessOf(text, maxValues);
  if (excess === "levels") {
    throw invalidRequest([
      { root: "body", field: [], description: `must not nest more than ${mostLevels} levels deep` },
    ]);
  }
  if (excess === "values") {
    throw new GatewayError(
      "REQUEST_TOO_LARGE",
      `the body has more than ${maxValues} JSON values, the maximum of limits.max_values`,
    );
  }
  const value = parsed(text);
  if (halfEscape.test(text)) rejectHalves(value);
  return value;
}

function parsed(text: string): unknown {
  try {
    // A reviver takes as long as parsing, and integers with fewer digits are exact without it.
    return /\d{16}/.test(text) ? JSON.parse(text, exactIntegers) : JSON.parse(text);
  } catch (error) {
    const description = `must be valid JSON${placeOfSyntaxError(text, error)}`;
    throw invalidRequest([{ root: "body", field: [], description }]);
  }
}

/** Throws INVALID_REQUEST for a string with half of a surrogate pair, as protobuf does for its JSON. */
function rejectHalves(body: unknown): void {
  const whole = wellFormed(body);
  if (whole === body) return;
  const field = firstChange(body, whole).map((step) => (typeof step === "object" ? String(step.key) : step));
  throw invalidRequest([{ root: "body", field, description: halfProblem }]);
}

/** `source` is the number as written in the text: https://github.com/tc39/proposal-json-parse-with-source */
function exactIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const { source = "" } = context ?? {};
  return source.length <= mostDigits && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

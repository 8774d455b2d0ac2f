import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { excessOf, mostLevels, mostValues } from "../../chat/validation/json-bounds.ts";
import { GatewayError, invalidRequest } from "../../errors.ts";

const decoders = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress } as const;

/**
 * Reads a body, decompressed, up to a limit. Throws REQUEST_TOO_LARGE beyond it, without reading on,
 * UNSUPPORTED_ENCODING for an encoding that is not known, INVALID_REQUEST for one that is not kept and for text that is
 * not UTF-8, and CANCELLED when the client goes away meanwhile.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  const encoding = request.headers["content-encoding"]?.trim().toLowerCase() || "identity";
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of decoded(request, encoding)) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        throw new GatewayError("REQUEST_TOO_LARGE", `the body is above the ${maxBytes} bytes that this service takes`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    if (request.destroyed && !request.complete) {
      throw new GatewayError("CANCELLED", "the caller cancelled the call before its request was complete");
    }
    throw invalidRequest([{ root: "body", field: [], description: `cannot be read as ${encoding}` }]);
  }
  return textOf(Buffer.concat(chunks));
}

// RFC 8259, section 8.1, where a byte order mark may be passed over.
const utf8 = new TextDecoder("utf-8", { fatal: true });

function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalidRequest([{ root: "body", field: [], description: "is not UTF-8" }]);
  }
}

/** Never destroys the request when the reader stops early: the refusal still goes out on its connection. */
function decoded(request: IncomingMessage, encoding: string): AsyncIterable<Buffer> {
  if (encoding === "identity") return request.iterator({ destroyOnReturn: false });
  if (!isEncoding(encoding)) {
    const message = `content-encoding ${encoding} is not taken; use ${Object.keys(decoders).join(", ")} or none`;
    throw new GatewayError("UNSUPPORTED_ENCODING", message);
  }
  const decoder: Readable = request.pipe(decoders[encoding]());
  request.once("close", () => {
    if (!request.complete) decoder.destroy(new Error("the body was cut"));
  });
  return decoder;
}

function isEncoding(name: string): name is keyof typeof decoders {
  return Object.hasOwn(decoders, name);
}

/**
 * Passes over what is left of a body that was rejected half-read, up to a limit, and cuts the connection beyond it: a
 * client that is still sending reads no refusal, and a connection that is closed under it loses the refusal.
 */
export function discardRest(request: IncomingMessage, maxBytes: number): void {
  let discarded = 0;
  request.on("data", (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > maxBytes) request.destroy();
  });
  // A decoder that was reading it has paused it.
  request.resume();
}

/** Digits of an integer that is taken as it is: reading one takes the square of their number. */
const mostDigits = 400;

/**
 * Parses the JSON of a body. Integers that a number would round become bigint (seeds have 64 bits). Throws INVALID_REQUEST
 * if the text is not JSON or nests too deeply, and REQUEST_TOO_LARGE if it has too many values.
 */
export function parseBody(text: string): unknown {
  const excess = excessOf(text);
  if (excess === "levels") {
    throw invalidRequest([
      { root: "body", field: [], description: `must not nest more than ${mostLevels} levels deep` },
    ]);
  }
  if (excess === "values") {
    throw new GatewayError(
      "REQUEST_TOO_LARGE",
      `the body has more than the ${mostValues} values that a request may have`,
    );
  }
  try {
    return JSON.parse(text, exactIntegers);
  } catch {
    throw invalidRequest([{ root: "body", field: [], description: "is not valid JSON" }]);
  }
}

/** `source` is the digits as they stand: https://github.com/tc39/proposal-json-parse-with-source */
function exactIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const { source = "" } = context ?? {};
  return source.length <= mostDigits && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

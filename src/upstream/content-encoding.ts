import { pipeline, Readable, type Transform } from "node:stream";
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from "node:zlib";
import { GatewayError } from "../errors.ts";
import { malformedAnswer } from "./errors.ts";
import type { UpstreamCall } from "./upstream-call.ts";

/** Creates the decompressor for data that begin with a byte. Undefined: the data are not compressed. */
type Creator = (first: number) => Transform | undefined;

// A proxy may flush its last bytes without the end of the compressed data. The decoders notice a missing end.
const zlib = { finishFlush: constants.Z_SYNC_FLUSH };
const brotli = { finishFlush: constants.BROTLI_OPERATION_FLUSH };
const zstd = { finishFlush: constants.ZSTD_e_flush };

// Some proxies decompress a body and leave the header, so that data may be plain. Compressed data begin with 1F (gzip,
// RFC 1952) or 28 (zstd, RFC 8878), which no JSON and no event stream does.
const gzip: Creator = (first) => (first === 0x1f ? createGunzip(zlib) : undefined);

const creators: Readonly<Record<string, Creator>> = {
  gzip,
  "x-gzip": gzip,
  // RFC 9110 means zlib data, whose first byte ends in 8 (RFC 1950), but some servers send raw deflate data.
  deflate: (first) => ((first & 0x0f) === 8 ? createInflate(zlib) : createInflateRaw(zlib)),
  br: () => createBrotliDecompress(brotli),
  zstd: (first) => (first === 0x28 ? createZstdDecompress(zstd) : undefined),
};

/** Values of `content-encoding` that compress nothing. Some servers put the charset there. */
const plain: ReadonlySet<string> = new Set(["", "identity", "none", "utf-8", "utf8"]);

/** Maximum compressions of one body. */
const mostCompressions = 4;

/** Returns the compressions of a body, in the order in which the server applied them. */
export function compressionsOf(contentEncoding: string | undefined): readonly string[] {
  const names = (contentEncoding ?? "").toLowerCase().split(",");
  return names.map((name) => name.trim()).filter((name) => !plain.has(name));
}

/**
 * Decompresses a body as it arrives, because some providers and proxies compress although Dragoman requests `identity`.
 * Reads only as much as it returns and a few buffers of 16 KiB. So the limits of the decoders, which count decompressed
 * bytes, also bound a decompression bomb.
 */
export class DecompressedBody {
  readonly #compressions: readonly string[];
  readonly #source: () => Promise<readonly Buffer[] | undefined>;
  readonly #call: UpstreamCall;
  #output: Transform | undefined;
  #chunks: AsyncIterator<Buffer> | undefined;

  /** @param source returns the next compressed chunks; undefined at the end of the body */
  constructor(
    compressions: readonly string[],
    source: () => Promise<readonly Buffer[] | undefined>,
    call: UpstreamCall,
  ) {
    this.#compressions = compressions;
    this.#source = source;
    this.#call = call;
  }

  /** Returns the next chunks. Undefined: end of the body. Throws PROVIDER_FAULT if the data is invalid. */
  async read(): Promise<readonly Buffer[] | undefined> {
    try {
      this.#chunks ??= await this.#begin();
      const next = await this.#chunks.next();
      return next.done ? undefined : [next.value];
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      throw this.#invalid(error);
    }
  }

  /** Stops decompressing. */
  close(): void {
    this.#output?.destroy();
  }

  async #begin(): Promise<AsyncIterator<Buffer>> {
    const isKnown = this.#compressions.every((name) => Object.hasOwn(creators, name));
    if (!isKnown || this.#compressions.length > mostCompressions) throw this.#invalid();
    const first = await this.#source();
    const byte = first?.[0]?.[0];
    if (first === undefined || byte === undefined) return none();
    const compressed = chunksFrom(first, this.#source);
    // Only the last compression shows its first byte here. The others have the usual one.
    const last = this.#compressions.at(-1) ?? "";
    const inner = this.#compressions.slice(0, -1).reverse();
    const stages = [creators[last]?.(byte), ...inner.map((name) => creators[name]?.(usualFirst[name] ?? 0))];
    const decompressors = stages.filter((stage) => stage !== undefined);
    const output = decompressors.at(-1);
    if (output === undefined) return compressed;
    // `read` reports the errors.
    pipeline([Readable.from(compressed, { highWaterMark: 1 }), ...decompressors], () => {});
    this.#output = output.on("error", () => {});
    return output[Symbol.asyncIterator]();
  }

  #invalid(cause?: unknown): GatewayError {
    const names = this.#compressions
      .join(", ")
      .replace(/[^\w., -]/g, "")
      .slice(0, 64);
    return malformedAnswer(this.#call, `Dragoman cannot decompress its content encoding ${names}`, cause);
  }
}

/** Yields the chunks of the first read, and of all further ones. */
async function* chunksFrom(
  first: readonly Buffer[],
  source: () => Promise<readonly Buffer[] | undefined>,
): AsyncGenerator<Buffer, void, undefined> {
  for (let chunks: readonly Buffer[] | undefined = first; chunks; chunks = await source()) yield* chunks;
}

const usualFirst: Readonly<Record<string, number>> = { gzip: 0x1f, "x-gzip": 0x1f, deflate: 0x78, zstd: 0x28 };

async function* none(): AsyncGenerator<Buffer> {}

import { constants, type ServerHttp2Stream } from "node:http2";
import type { Reason } from "../../errors.ts";

/** Maximum time in ms without a byte of the request. */
const idleMs = 1_000;

/** Maximum time in ms in which the client can send the rest. */
const longestMs = 10_000;

/** Maximum size of the rest in bytes, and number of streams whose rest is discarded at the same time. */
const usual = { bytes: 16 * 2 ** 20, streams: 64 };

/** The same for requests that were rejected because of overload, since discarding is work too. */
const whenOverloaded = { bytes: 4 * 2 ** 20, streams: 8 };

let streams = 0;

/**
 * Discards the rest of a request after its status was sent. If the client is silent or sends too much, resets the
 * stream, which tells it to stop (RFC 9113, section 8.1).
 *
 * A reset at once would break the connection of an HTTP/2 client of Node.js: the bytes that a reset keeps it from
 * sending count towards its memory for the connection (10 MB by default) until the connection closes. Beyond that, all
 * its calls fail or hang (measured with Node.js 26.10).
 *
 * @param reason Why the request was rejected.
 */
export function stopRequest(stream: ServerHttp2Stream, reason?: Reason): void {
  // The client has reset the stream: its `close` event may be over.
  if (stream.destroyed) return;
  // Otherwise grpc-js would go on to collect the request.
  stream.removeAllListeners("data");
  stream.resume();
  const reset = (): void => stream.close(constants.NGHTTP2_NO_ERROR);
  const most = reason === "OVERLOADED" ? whenOverloaded : usual;
  if (streams >= most.streams) {
    // Later, when the status is on its way: a reset would discard it.
    setImmediate(reset);
    return;
  }
  streams++;
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > most.bytes) reset();
  });
  stream.setTimeout(idleMs, reset);
  const timer = setTimeout(reset, longestMs);
  stream.once("close", () => {
    streams--;
    clearTimeout(timer);
  });
}

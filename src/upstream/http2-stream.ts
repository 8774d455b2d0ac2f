import { type ClientHttp2Session, type ClientHttp2Stream, constants, type OutgoingHttpHeaders } from "node:http2";
import type { Dispatcher } from "undici";
import { releaseStream } from "../release-stream.ts";

/** Headers of a connection, which HTTP/2 has not. https://www.rfc-editor.org/rfc/rfc9113#section-8.2.2 */
const connectionHeaders: ReadonlySet<string> = new Set([
  ...["connection", "host", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"],
]);

/** POST request with a text as its body, or GET request without one. */
export interface TextRequest extends Dispatcher.DispatchOptions {
  readonly body: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** How a stream ended. `unprocessed`: the server has certainly not processed the request. */
type End = "complete" | "failed" | "unprocessed";

/**
 * One request over HTTP/2, with the same calls to its handler as undici makes for HTTP/1.1. It can be sent again on
 * another connection as long as no headers have arrived.
 */
export class Http2Request implements Dispatcher.DispatchController {
  aborted = false;
  paused = false;
  reason: Error | null = null;
  rawHeaders = null;
  rawTrailers = null;
  /** Whether it was sent again, or waits for that. */
  isRepeated = false;
  readonly #url: URL;
  readonly #options: TextRequest;
  readonly #handler: Dispatcher.DispatchHandler;
  #stream: ClientHttp2Stream | undefined;
  #hasHeaders = false;
  #isOver = false;
  /** Called if it is aborted while it waits for a connection. */
  readonly #leave: (request: Http2Request) => void;

  constructor(
    url: URL,
    options: TextRequest,
    handler: Dispatcher.DispatchHandler,
    leave: (request: Http2Request) => void,
  ) {
    this.#url = url;
    this.#options = options;
    this.#handler = handler;
    this.#leave = leave;
  }

  /** Whether response headers have arrived. */
  get hasHeaders(): boolean {
    return this.#hasHeaders;
  }

  /** Tells the handler that it can abort the request from now on. */
  begin(): void {
    this.#handler.onRequestStart?.(this, undefined);
  }

  /** Sends the request with HTTP/1.1 instead. */
  dispatchTo(dispatcher: Dispatcher): void {
    this.#isOver = true;
    if (!this.aborted) dispatcher.dispatch(this.#options, this.#handler);
  }

  /** Sends the request. Throws if the connection accepts no more. Calls `onEnd` once, if it does not throw. */
  send(session: ClientHttp2Session, onEnd: (end: End, error: Error) => void): void {
    const stream = session.request(toHttp2(this.#url, this.#options));
    this.#stream = stream;
    let failure: Error | undefined;
    let hasEnded = false;
    stream.on("response", (received) => {
      this.#hasHeaders = true;
      const { [constants.HTTP2_HEADER_STATUS]: status, ...rest } = received;
      this.#handler.onResponseStart?.(this, Number(status), rest);
    });
    stream.on("data", (chunk: Buffer) => this.#handler.onResponseData?.(this, chunk));
    stream.on("end", () => {
      hasEnded = true;
    });
    stream.on("error", (error) => {
      failure = error;
    });
    stream.once("close", () => {
      if (this.#stream === stream) this.#stream = undefined;
      const { rstCode } = stream;
      const isComplete = hasEnded && this.#hasHeaders && failure === undefined && rstCode === 0;
      // A stream without an id was never sent.
      const isUnprocessed =
        !this.#hasHeaders && (rstCode === constants.NGHTTP2_REFUSED_STREAM || stream.id === undefined);
      const end = isComplete ? "complete" : isUnprocessed ? "unprocessed" : "failed";
      onEnd(end, failure ?? streamError(rstCode));
      releaseStream(stream);
    });
    if (this.paused) stream.pause();
    stream.end(this.#options.body ?? undefined);
  }

  /** The response is whole. */
  complete(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handler.onResponseEnd?.(this, {});
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handler.onResponseError?.(this, error);
  }

  /** Resets the stream, and no other one. */
  abort(reason: Error): void {
    if (this.aborted || this.#isOver) return;
    this.aborted = true;
    this.reason = reason;
    this.#leave(this);
    this.#stream?.close(constants.NGHTTP2_CANCEL);
    // Drops what has arrived, without which Node.js does not close a paused stream.
    this.#stream?.destroy();
    this.fail(reason);
  }

  pause(): void {
    this.paused = true;
    this.#stream?.pause();
  }

  resume(): void {
    this.paused = false;
    this.#stream?.resume();
  }
}

function toHttp2(url: URL, { method, path, headers, body }: TextRequest): OutgoingHttpHeaders {
  const sent: OutgoingHttpHeaders = { ":method": method, ":path": path, ":scheme": "https", ":authority": url.host };
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (lower === "host") sent[":authority"] = value;
    if (!connectionHeaders.has(lower)) sent[lower] = value;
  }
  if (body !== null) sent["content-length"] = String(Buffer.byteLength(body));
  return sent;
}

/** Error of a stream that the server reset, or ended before the response was complete. */
function streamError(code: number | undefined): Error {
  const message = `the server ended the HTTP/2 stream with the code ${code}`;
  return Object.assign(new Error(message), { code: "ERR_HTTP2_STREAM_ERROR" });
}

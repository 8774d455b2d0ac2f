import type { ServerHttp2Stream } from "node:http2";
import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";

/** Number of unsent messages at which a sender waits, even if the stream has room for more bytes. */
const maxUnsent = 16;

/**
 * Sends the messages of a stream. Those that are ready together leave in one write, so that `started` and the first
 * output arrive together. The Writable of grpc-js would wait for each message to be written before the next.
 */
export class MessageSender {
  readonly #stream: ServerHttp2Stream;
  readonly #grpcJs: Pick<ServerInterceptingCallInterface, "sendMessage">;
  readonly #signal: AbortSignal;
  #unsent = 0;
  #resume: ((value: unknown) => void) | undefined;

  /**
   * @param grpcJs Writes messages to the stream.
   * @param signal Fires when the call ends. Then nothing more needs to be sent.
   */
  constructor(
    stream: ServerHttp2Stream,
    grpcJs: Pick<ServerInterceptingCallInterface, "sendMessage">,
    signal: AbortSignal,
  ) {
    this.#stream = stream;
    this.#grpcJs = grpcJs;
    this.#signal = signal;
  }

  /**
   * Sends an encoded message. If many messages or bytes are unsent then, returns a promise, which resolves when all are
   * sent or the call has ended.
   */
  send(message: Buffer): Promise<void> | undefined {
    if (this.#stream.writableCorked === 0) {
      this.#stream.cork();
      process.nextTick(uncork, this.#stream);
    }
    this.#unsent += 1;
    this.#grpcJs.sendMessage(message, () => this.#sent());
    const isFull = this.#unsent >= maxUnsent || this.#stream.writableNeedDrain;
    const hasEnded = this.#signal.aborted || this.#stream.destroyed;
    return isFull && !hasEnded ? this.#allSent() : undefined;
  }

  #sent(): void {
    this.#unsent -= 1;
    if (this.#unsent === 0) this.#resume?.(undefined);
  }

  async #allSent(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#resume = resolve;
    this.#signal.addEventListener("abort", resolve);
    this.#stream.on("close", resolve);
    await promise;
    this.#signal.removeEventListener("abort", resolve);
    this.#stream.off("close", resolve);
  }
}

function uncork(stream: ServerHttp2Stream): void {
  stream.uncork();
}

import type { ServerHttp2Stream } from "node:http2";
import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";

/** Number of unsent messages at which the sender of a stream waits. */
const maxUnsent = 16;

/**
 * Sends the messages of a stream. Those of one turn of the event loop leave in one write, so that `started` and the
 * first output arrive together. The Writable of grpc-js would wait for each message to be written before the next.
 */
export class MessageSender {
  readonly #stream: ServerHttp2Stream;
  readonly #grpcJs: Pick<ServerInterceptingCallInterface, "sendMessage">;
  readonly #signal: AbortSignal;
  #unsent = 0;
  #resume: ((value: unknown) => void) | undefined;

  /**
   * @param grpcJs Serializes messages and writes them to the stream.
   * @param signal Fires when the call ends. Nobody then waits for messages.
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

  /** Sends a message. Returns a promise if too many are unsent, which resolves when all are sent or the call ends. */
  send(message: unknown): Promise<void> | undefined {
    if (this.#stream.writableCorked === 0) {
      this.#stream.cork();
      process.nextTick(uncork, this.#stream);
    }
    this.#unsent += 1;
    this.#grpcJs.sendMessage(message, () => this.#sent());
    return this.#unsent < maxUnsent || this.#signal.aborted ? undefined : this.#allSent();
  }

  #sent(): void {
    this.#unsent -= 1;
    if (this.#unsent === 0) this.#resume?.(undefined);
  }

  async #allSent(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#resume = resolve;
    this.#signal.addEventListener("abort", resolve);
    await promise;
    this.#signal.removeEventListener("abort", resolve);
  }
}

function uncork(stream: ServerHttp2Stream): void {
  stream.uncork();
}

import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import type { UpstreamTimeouts } from "../config/provider.ts";
import type { GatewayError } from "../errors.ts";
import { type AttemptHeaders, firstOf, noteHeaders } from "./attempt-headers.ts";
import { callFailure, connectionFailure } from "./errors.ts";
import { abortReason, type UpstreamCall } from "./upstream-call.ts";
import { WaitTimer } from "./wait-timer.ts";

/** Maximum unread bytes before Dragoman pauses the upstream; equals one full socket read. */
const highWaterMark = 64 * 1024;
/** Maximum bytes that may arrive after `finish`, before Dragoman closes the connection. */
const drainBytes = 64 * 1024;
/** Maximum time in ms to wait for the end of the body after `finish`. */
const drainMs = 1_000;

/**
 * One upstream response, read as it arrives.
 *
 * Implemented as an undici dispatch handler. With an undici stream, one `read` would not return all HTTP chunks of a
 * socket read, and the buffer would not be bounded.
 */
export class UpstreamResponse implements Dispatcher.DispatchHandler {
  /** HTTP status. 0 until the headers have arrived. */
  status = 0;
  #headers: IncomingHttpHeaders = {};
  readonly #call: UpstreamCall;
  readonly #timeouts: UpstreamTimeouts;
  readonly #attemptHeaders: AttemptHeaders;
  readonly #timer: WaitTimer;
  readonly #abort: () => void;
  readonly #onOver: (call: UpstreamCall) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #chunks: Buffer[] = [];
  #held = 0;
  #state: "open" | "draining" | "ended" | "failed" = "open";
  #failure: GatewayError | undefined;
  #wake: (() => void) | undefined;
  #drainTimer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** @param onOver called once, when undici no longer uses the connection for this request */
  constructor(
    call: UpstreamCall,
    timeouts: UpstreamTimeouts,
    attemptHeaders: AttemptHeaders,
    onOver: (call: UpstreamCall) => void,
  ) {
    this.#call = call;
    this.#onOver = onOver;
    this.#timeouts = timeouts;
    this.#attemptHeaders = attemptHeaders;
    this.#timer = new WaitTimer(timeouts.firstEventMs, () => {
      this.#fail(callFailure("PROVIDER_TIMEOUT", "timed out waiting for the provider's response: try again", call));
    });
    this.#abort = () => {
      this.#chunks = [];
      this.#fail(abortReason(call.signal));
    };
    call.signal.addEventListener("abort", this.#abort, { once: true });
  }

  header(name: string): string | undefined {
    return firstOf(this.#headers[name]);
  }

  /** Resolves when the status and headers have arrived. */
  async arrival(): Promise<void> {
    if (this.status === 0 && this.#state === "open") await this.#wait();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Returns all chunks that arrived since the last call, and waits if there are none. Undefined: end of the body. */
  async read(): Promise<readonly Buffer[] | undefined> {
    if (this.#chunks.length === 0 && this.#state === "open") await this.#wait();
    if (this.#chunks.length > 0) {
      const chunks = this.#chunks;
      this.#chunks = [];
      this.#held = 0;
      if (this.#controller?.paused) this.#controller.resume();
      return chunks;
    }
    if (this.#failure !== undefined) throw this.#failure;
    return undefined;
  }

  /** Restarts the idle timer. Call it for each read with output, but not for keep-alives or other events. */
  sawOutput(): void {
    this.#timer.restart(this.#timeouts.idleMs);
  }

  /** Ends reading after the last event. Discards the rest of the body within limits, to reuse the connection. */
  finish(): void {
    if (this.#state !== "open") return;
    this.#leave("draining");
    this.#chunks = [];
    this.#held = 0;
    this.#drainTimer = setTimeout(() => this.#cut(), drainMs).unref();
    if (this.#controller?.paused) this.#controller.resume();
  }

  /** Stops reading. Closes the connection unless the body has ended. Does nothing after `finish`. */
  close(): void {
    if (this.#state !== "open") return;
    this.#leave("ended");
    this.#cut();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#state !== "open") this.#cut();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.status = status;
    this.#headers = headers;
    noteHeaders(this.#call.attempt, status, headers, this.#attemptHeaders);
    this.#wake?.();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#held += chunk.length;
    if (this.#state === "draining") {
      if (this.#held > drainBytes) this.#cut();
    } else if (this.#state === "open") {
      this.#chunks.push(chunk);
      if (this.#held >= highWaterMark) controller.pause();
      this.#wake?.();
    }
  }

  onResponseEnd(): void {
    this.#leave("ended");
    this.#over();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#state === "open") this.#fail(connectionFailure(error, this.status, this.#call));
    this.#over();
  }

  #over(): void {
    clearTimeout(this.#drainTimer);
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onOver(this.#call);
  }

  async #wait(): Promise<void> {
    this.#timer.start();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
    this.#timer.stop();
  }

  #fail(failure: GatewayError): void {
    if (this.#state !== "open") return;
    this.#failure = failure;
    this.#leave("failed");
    this.#cut();
  }

  #leave(state: "draining" | "ended" | "failed"): void {
    this.#state = state;
    this.#timer.clear();
    this.#call.signal.removeEventListener("abort", this.#abort);
    this.#wake?.();
  }

  #cut(): void {
    if (this.#controller?.aborted === false) this.#controller.abort(this.#failure ?? new Error("no longer wanted"));
  }
}

import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import type { UpstreamTimeouts } from "../config/provider.ts";
import type { GatewayError } from "../errors.ts";
import { callFailure, connectionFailure } from "./errors.ts";
import { abortReason, type UpstreamCall } from "./upstream-call.ts";
import { WaitTimer } from "./wait-timer.ts";

/** Bytes held for a consumer that does not read, before the upstream is paused: one full read of a socket. */
const highWaterMark = 64 * 1024;
/** How much more, and for how long, an answer that is whole may go on before its connection is given up. */
const drainBytes = 64 * 1024;
const drainMs = 1_000;

/** The headers in which a provider reports facts about an attempt. Names in lower case. */
export interface AttemptHeaders {
  /** Attempt.provider_request_id: the first of these that is there. */
  readonly requestId: readonly string[];
  /** Attempt.provider_limits: all headers whose names begin so. */
  readonly limitPrefixes: readonly string[];
}

/**
 * One answer of an upstream, read as it comes. A handler of undici's dispatch instead of one of its streams, so that all
 * HTTP chunks of one socket read are handed over together, and what is held is bounded.
 */
export class UpstreamResponse implements Dispatcher.DispatchHandler {
  /** 0 until the headers have arrived. */
  status = 0;
  #headers: IncomingHttpHeaders = {};
  readonly #call: UpstreamCall;
  readonly #timeouts: UpstreamTimeouts;
  readonly #attemptHeaders: AttemptHeaders;
  readonly #timer: WaitTimer;
  readonly #abort: () => void;
  #controller: Dispatcher.DispatchController | undefined;
  #chunks: Buffer[] = [];
  #held = 0;
  #state: "open" | "draining" | "ended" | "failed" = "open";
  #failure: GatewayError | undefined;
  #wake: (() => void) | undefined;
  #drainTimer: NodeJS.Timeout | undefined;

  constructor(call: UpstreamCall, timeouts: UpstreamTimeouts, attemptHeaders: AttemptHeaders) {
    this.#call = call;
    this.#timeouts = timeouts;
    this.#attemptHeaders = attemptHeaders;
    this.#timer = new WaitTimer(timeouts.firstEventMs, () => {
      this.#fail(callFailure("PROVIDER_TIMEOUT", "the provider was silent for too long: try again", call));
    });
    this.#abort = () => {
      this.#chunks = [];
      this.#fail(abortReason(call.signal));
    };
    call.signal.addEventListener("abort", this.#abort, { once: true });
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** Resolves when status and headers are here. */
  async arrival(): Promise<void> {
    if (this.status === 0 && this.#state === "open") await this.#wait();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** What has arrived since the last call, waiting for more if that is nothing. Undefined at the end of the body. */
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

  /** Tells that what was read held an event, and not just a keep-alive: the wait for the next one begins anew. */
  sawEvent(): void {
    this.#timer.restart(this.#timeouts.idleMs);
  }

  /** The consumer has all that it needs. Lets the body end, so that the connection can serve the next call. */
  finish(): void {
    if (this.#state !== "open") return;
    this.#leave("draining");
    this.#chunks = [];
    this.#held = 0;
    this.#drainTimer = setTimeout(() => this.#cut(), drainMs).unref();
    if (this.#controller?.paused) this.#controller.resume();
  }

  /** The consumer wants no more. Cuts the connection unless the body has ended; does nothing after `finish`. */
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
    this.#call.attempt.httpStatus = status;
    const { requestId, limitPrefixes } = this.#attemptHeaders;
    const idHeader = requestId.find((name) => this.header(name));
    this.#call.attempt.providerRequestId = (idHeader && this.header(idHeader)) ?? "";
    for (const name in headers) {
      const value = limitPrefixes.some((prefix) => name.startsWith(prefix)) && this.header(name);
      if (value) this.#call.attempt.providerLimits[name] = value;
    }
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
    clearTimeout(this.#drainTimer);
    this.#leave("ended");
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#drainTimer);
    if (this.#state === "open") this.#fail(connectionFailure(error, this.status, this.#call));
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

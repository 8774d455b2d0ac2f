import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import type { UpstreamTimeouts } from "../config/provider.ts";
import type { GatewayError } from "../errors.ts";
import { type AttemptHeaders, firstOf, noteHeaders } from "./attempt-headers.ts";
import { type BodyForm, declaresJson, formOf } from "./body-form.ts";
import { compressionsOf, DecompressedBody } from "./content-encoding.ts";
import { callFailure, connectionFailure } from "./errors.ts";
import { isStale } from "./socket-watch.ts";
import { abortReason, type UpstreamCall } from "./upstream-call.ts";
import { WaitTimer } from "./wait-timer.ts";

/** Maximum unread bytes before Dragoman pauses the upstream; equals one full socket read. */
const highWaterMark = 64 * 1024;
/** Maximum bytes that may arrive after `finish`, before Dragoman closes the connection. */
const drainBytes = 64 * 1024;
/** Maximum time in ms to wait for the end of the body after `finish`. */
const drainMs = 1_000;

interface Hooks {
  /** Address of the provider. */
  readonly url: URL;
  /** Called once, when undici no longer uses the connection for this request. */
  onOver(call: UpstreamCall): void;
  /**
   * Sends the request again on a new connection, or returns false. Called if a stale connection ended before any byte
   * of the response.
   */
  repeat(): boolean;
}

/**
 * One upstream response, read as it arrives.
 *
 * Implemented as an undici dispatch handler. With an undici stream, one `read` would not return all HTTP chunks of a
 * socket read, and the buffer would not be bounded.
 */
export class UpstreamResponse implements Dispatcher.DispatchHandler {
  /** HTTP status. 0 until the headers have arrived. */
  status = 0;
  /** Form of the body. Known after `begin`. */
  form: BodyForm = "other";
  #headers: IncomingHttpHeaders = {};
  readonly #call: UpstreamCall;
  readonly #idleMs: number;
  readonly #attemptHeaders: AttemptHeaders;
  readonly #timer: WaitTimer;
  readonly #abort = (): void => {
    this.#chunks = [];
    this.#fail(abortReason(this.#call.signal));
  };
  readonly #hooks: Hooks;
  #isRepeated = false;
  #hadOutput = false;
  #controller: Dispatcher.DispatchController | undefined;
  #chunks: Buffer[] = [];
  #held = 0;
  #state: "open" | "draining" | "ended" | "failed" = "open";
  #failure: GatewayError | undefined;
  #wake: (() => void) | undefined;
  #drainTimer: NodeJS.Timeout | undefined;
  #isOver = false;
  /** First chunks of the body, which `begin` has read. */
  #begun: readonly Buffer[] | undefined;
  #decompressed: DecompressedBody | undefined;

  constructor(call: UpstreamCall, timeouts: UpstreamTimeouts, attemptHeaders: AttemptHeaders, hooks: Hooks) {
    this.#call = call;
    this.#hooks = hooks;
    this.#idleMs = shorter(timeouts.idleMs, call.idleMs ?? 0);
    this.#attemptHeaders = attemptHeaders;
    this.#timer = new WaitTimer(timeouts.firstEventMs, () => {
      this.#fail(callFailure("PROVIDER_TIMEOUT", "timed out waiting for the provider's response: try again", call));
    });
    call.signal.addEventListener("abort", this.#abort, { once: true });
  }

  get contentType(): string {
    return this.header("content-type") ?? "";
  }

  get headers(): Readonly<IncomingHttpHeaders> {
    return this.#headers;
  }

  header(name: string): string | undefined {
    return firstOf(this.#headers[name]);
  }

  /** Resolves when the status and headers have arrived. */
  async arrival(): Promise<void> {
    if (this.status === 0 && this.#state === "open") await this.#wait();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits for the first bytes of the body, and sets `form`. `read` returns these bytes again. */
  async begin(): Promise<void> {
    const isDeclaredWhole = declaresJson(this.contentType);
    const begun: Buffer[] = [];
    for (;;) {
      const chunks = await this.read();
      for (const chunk of chunks ?? []) begun.push(chunk);
      if (chunks !== undefined && isDeclaredWhole) this.restartIdle();
      const bytes = begun.length === 1 && begun[0] !== undefined ? begun[0] : Buffer.concat(begun);
      const form = formOf(bytes, this.contentType, chunks === undefined);
      if (form === undefined) continue;
      this.form = form;
      this.#begun = begun.length === 0 ? undefined : begun;
      return;
    }
  }

  /**
   * Returns all chunks that arrived since the last call, decompressed, and waits if there are none. Undefined: end of
   * the body.
   */
  read(): Promise<readonly Buffer[] | undefined> {
    if (this.#begun === undefined) return this.#decompressed?.read() ?? this.#readRaw();
    const begun = this.#begun;
    this.#begun = undefined;
    return Promise.resolve(begun);
  }

  async #readRaw(): Promise<readonly Buffer[] | undefined> {
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

  /** Notes a read with output, and restarts the idle timer. Not for keep-alives, other events and error bodies. */
  sawOutput(): void {
    this.restartIdle();
    if (this.#hadOutput) return;
    this.#hadOutput = true;
    this.#call.onOutput?.();
  }

  /** Restarts the idle timer after bytes that are no output but count as progress, such as those of an error. */
  restartIdle(): void {
    this.#timer.restart(this.#idleMs);
  }

  /** Ends reading after the last event. Discards the rest of the body within limits, to reuse the connection. */
  finish(): void {
    if (this.#state !== "open") return;
    this.#leave("draining");
    this.#chunks = [];
    this.#held = 0;
    this.#decompressed?.close();
    this.#drainTimer = setTimeout(() => this.#cut(), drainMs).unref();
    if (this.#controller?.paused) this.#controller.resume();
  }

  /** Stops reading. Closes the connection unless the body has ended. Does nothing after `finish`. */
  close(): void {
    if (this.#state !== "open") return;
    this.#leave("ended");
    this.#decompressed?.close();
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
    const encoding = this.header("content-encoding");
    const compressions = encoding === undefined ? [] : compressionsOf(encoding);
    if (compressions.length > 0) {
      this.#decompressed = new DecompressedBody(compressions, () => this.#readRaw(), this.#call);
    }
    noteHeaders(this.#call.attempt, status, headers, this.#attemptHeaders, this.#call.secrets);
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
    // Repeats at most once. No `Attempt` of its own: the provider most likely did not read the request.
    if (this.#state === "open" && !this.#isRepeated && isStale(error)) {
      this.#isRepeated = true;
      this.#controller = undefined;
      if (this.#hooks.repeat()) return;
    }
    if (this.#state === "open") this.#fail(connectionFailure(error, this.status, this.#hooks.url, this.#call));
    this.#over();
  }

  #over(): void {
    clearTimeout(this.#drainTimer);
    if (this.#isOver) return;
    this.#isOver = true;
    this.#hooks.onOver(this.#call);
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

/** Returns the shorter of two timeouts, of which 0 means none. */
function shorter(first: number, second: number): number {
  return first === 0 || second === 0 ? first || second : Math.min(first, second);
}

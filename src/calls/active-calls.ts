import { CallSlots } from "../accounts/concurrency.ts";
import { GatewayError } from "../errors.ts";
import { Call, type CallSource, type CallSurroundings } from "./call.ts";

export interface CallsSetting extends CallSurroundings {
  /** Calls that an account may have under way at one model; 0: any number. Default: as each profile says. */
  readonly maxCallsPerModel?: number | undefined;
}

/** A call that is over has no client left to watch. */
const noSignal = new AbortController().signal;

/** The calls that are under way, so that they can be counted, and a stopping service can wait for them and end them. */
export class Calls {
  readonly #running = new Set<Call>();
  readonly #surroundings: CallsSetting;
  readonly #slots = new CallSlots();
  readonly #releases = new Map<Call, () => void>();
  #begun = 0;
  #onIdle: (() => void) | undefined;

  constructor(surroundings: CallsSetting) {
    this.#surroundings = surroundings;
  }

  /** Calls under way, and calls since the start. */
  get activity(): { readonly running: number; readonly begun: number } {
    return { running: this.#running.size, begun: this.#begun };
  }

  begin(source: CallSource, method: string): Call {
    const call = new Call(source, method, this.#surroundings, (settled) => {
      this.#running.delete(settled);
      this.#releases.get(settled)?.();
      this.#releases.delete(settled);
      if (this.#running.size === 0) this.#onIdle?.();
    });
    this.#running.add(call);
    this.#begun++;
    return call;
  }

  /** The record of a call that failed before it began: nobody is left to watch, and nothing to wait for. */
  refuse(source: CallSource, method: string, error: GatewayError, keyId = ""): Call {
    const { requestHeader, protocolName } = source;
    const timeoutMs = () => source.timeoutMs();
    const call = this.begin({ requestHeader, protocolName, timeoutMs, signal: noSignal }, method);
    call.facts.keyId = keyId;
    call.settle(error);
    return call;
  }

  /**
   * Counts a call, whose account and model are known now, until it settles. `limit` is its profile's. Throws
   * CONCURRENCY_LIMITED when its account has as many calls under way at the model as it may.
   */
  occupy(call: Call, limit: number | undefined): void {
    const most = this.#surroundings.maxCallsPerModel ?? limit ?? 0;
    if (most === 0 || !this.#running.has(call)) return;
    this.#releases.set(call, this.#slots.take(call.facts, most));
  }

  /** Settles when no call is under way. */
  idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Ends every call with UNAVAILABLE: the service stops. */
  endAll(): void {
    for (const call of [...this.#running]) {
      call.end(new GatewayError("SHUTTING_DOWN", "the service is shutting down; call another instance"));
    }
  }
}

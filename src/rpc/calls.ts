import type { HandlerContext } from "@connectrpc/connect";
import { GatewayError } from "../errors.ts";
import { Call, type CallSurroundings } from "./call.ts";

/** The calls that are under way, so that a stopping service can wait for them and end them. */
export class Calls {
  readonly #running = new Set<Call>();
  readonly #surroundings: CallSurroundings;
  #begun = 0;
  #onIdle: (() => void) | undefined;

  constructor(surroundings: CallSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Calls under way, and calls since the start. */
  get activity(): { readonly running: number; readonly begun: number } {
    return { running: this.#running.size, begun: this.#begun };
  }

  begin(context: HandlerContext, method: string): Call {
    const call = new Call(context, method, this.#surroundings, (settled) => {
      this.#running.delete(settled);
      if (this.#running.size === 0) this.#onIdle?.();
    });
    this.#running.add(call);
    this.#begun++;
    return call;
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

import { CallSlots } from "../accounts/concurrency.ts";
import { CallLimits } from "../accounts/limits/call-limits.ts";
import { MemoryLimitStore } from "../accounts/limits/memory-store.ts";
import { WrongKeys } from "../accounts/wrong-keys.ts";
import { GatewayError } from "../errors.ts";
import { LinkedList } from "../linked-list.ts";
import type { LoadGuard } from "../load/load-guard.ts";
import { LearnedFields } from "../routing/learned-fields.ts";
import { Router } from "../routing/router.ts";
import { Call } from "./call.ts";
import type { CallEnvironment, CallSource } from "./call-environment.ts";
import type { CallMethod } from "./call-method.ts";
import type { Snapshots } from "./snapshot.ts";

type Environment = Omit<CallEnvironment, "slots" | "wrongKeys" | "learned" | "router" | "limits"> &
  Partial<Pick<CallEnvironment, "learned" | "router" | "limits">>;

/** Calls in progress. On shutdown, Dragoman waits for them and then ends those that remain. */
export class ActiveCalls {
  readonly #running = new LinkedList<Call>();
  readonly #snapshots: Snapshots;
  readonly #environment: CallEnvironment;
  readonly #guard: LoadGuard | undefined;
  #begun = 0;
  #onIdle: (() => void) | undefined;

  /** `guard`: bounds on the load of the process. Undefined: no bounds. */
  constructor(snapshots: Snapshots, environment: Environment, guard?: LoadGuard) {
    this.#snapshots = snapshots;
    this.#guard = guard;
    const learned = environment.learned ?? new LearnedFields();
    this.#environment = {
      learned,
      router: new Router({ learned }),
      limits: new CallLimits(new MemoryLimitStore()),
      ...environment,
      slots: new CallSlots(),
      wrongKeys: new WrongKeys(),
    };
  }

  /** Begins a call. Throws OVERLOADED if the load of the process is beyond a bound; then there is no call. */
  begin(source: CallSource, method: CallMethod): Call {
    const overloaded = this.#guard?.check(method.mayCost);
    if (overloaded !== undefined) throw overloaded;
    const call = this.#create(source, method);
    // Do not track a call that has already ended, because its client disconnected before Dragoman read the headers.
    if (!call.signal.aborted) call.place = this.#running.add(call);
    return call;
  }

  /** Records a request that is rejected before its call can begin, as a call that failed with this error. */
  reject(source: CallSource, method: CallMethod, error: GatewayError): void {
    this.#create(source, method).settle(error);
  }

  /** Number of calls that have begun, also if they were rejected at once. */
  get begun(): number {
    return this.#begun;
  }

  get inProgress(): number {
    return this.#running.size;
  }

  /** Resolves when no call is in progress. */
  idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Ends every call with UNAVAILABLE (reason SHUTTING_DOWN). */
  endAll(): void {
    for (const call of [...this.#running]) {
      call.end(new GatewayError("SHUTTING_DOWN", "the service is shutting down; call another instance"));
    }
  }

  #create(source: CallSource, method: CallMethod): Call {
    this.#begun++;
    return new Call(source, method, this.#environment, this.#snapshots.lease(), this.#onSettled);
  }

  readonly #onSettled = (call: Call): void => {
    if (call.place !== undefined) this.#running.delete(call.place);
    if (this.#running.size === 0) this.#onIdle?.();
  };
}

import type { CallSlots } from "../accounts/concurrency.ts";
import type { CallLimits } from "../accounts/limits/call-limits.ts";
import type { WrongKeys } from "../accounts/wrong-keys.ts";
import type { CallObserver } from "../ledger/call-observer.ts";
import type { CallTracer } from "../ledger/call-tracer.ts";
import type { ByteBudget } from "../load/byte-budget.ts";
import type { LearnedFields } from "../routing/learned-fields.ts";
import type { Router } from "../routing/router.ts";

/** What a call needs from its client's connection. Both listeners provide it. */
export interface CallSource {
  readonly requestHeader: { get(name: string): string | null };
  /** `grpc`, `grpc-web`, `connect` or `http`. */
  readonly protocolName: string;
  /** IP address of the connection's other end, which may be a proxy. Empty if the connection is already closed. */
  readonly peerAddress: string;
  /**
   * Calls `listener` when the client disconnects or cancels, or with OVERLOADED when the listener closes the request: at
   * once if that has happened. Calls it also for a request that was answered.
   */
  onGone(listener: (reason: unknown) => void): void;
  /** Milliseconds until the client's deadline. Undefined: the client set none. */
  timeoutMs(): number | undefined;
  /**
   * Milliseconds until the client stops waiting for the beginning of the response, counted from its request. It then
   * disconnects, so that Dragoman need not end the call; but attempts share this time. Undefined: not known.
   */
  patienceMs?(): number | undefined;
}

/** Observers and counts, which all calls of the service share. They outlive snapshots of the configuration. */
export interface CallEnvironment {
  readonly observers: readonly CallObserver[];
  /** One of the observers. Undefined: calls are not traced. */
  readonly tracer?: CallTracer | undefined;
  /** Bytes of the requests of all calls in progress. */
  readonly requestBytes: ByteBudget;
  readonly learned: LearnedFields;
  readonly router: Router;
  readonly slots: CallSlots;
  readonly limits: CallLimits;
  readonly wrongKeys: WrongKeys;
}

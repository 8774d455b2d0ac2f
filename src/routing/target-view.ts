import type { LearnedField } from "../chat/planning/learned.ts";

/** Whether a target gets calls. half_open: one call tries it after it was open. */
export type TargetStateName = "closed" | "open" | "half_open";

/** State of a key at one target. */
export interface KeyView {
  /** Name in the configuration. Empty: the provider's only key has no name. */
  readonly name: string;
  /** Until when the key is not used, in milliseconds since 1970. Undefined: it is used now. */
  readonly coolUntilMs: number | undefined;
  /** Reason of the failure because of which it is not used. Empty: none. */
  readonly reason: string;
}

/** State of a target for people and programs. */
export interface TargetView {
  /** `provider/model`, as in Attempt.target. */
  readonly name: string;
  readonly state: TargetStateName;
  /** Share of failed attempts in the breaker's window, from 0 to 1. */
  readonly failureRatio: number;
  /** Moving average of the time to first output in ms. Undefined: not known yet. */
  readonly firstOutputMs: number | undefined;
  /** When an open target is tried again, in milliseconds since 1970. Undefined: it is not open. */
  readonly openUntilMs: number | undefined;
  /** Attempts in progress. */
  readonly inFlight: number;
  /** Attempts that wait for a connection to the provider. */
  readonly queueLength: number;
  readonly keys: readonly KeyView[];
  /** Fields that the target rejected although no caller wrote them. */
  readonly learned: readonly LearnedField[];
}

/** A change of a target's or a key's state, for the log and for health watchers. */
export interface StateChange {
  readonly target: string;
  /** Undefined: the state of the target itself changed. */
  readonly key?: string;
  readonly from: TargetStateName | "cooling" | "usable";
  readonly to: TargetStateName | "cooling" | "usable";
  /** Reason of the failure that caused the change. Empty: none. */
  readonly reason: string;
  /** How long the new state lasts at least, in ms. Undefined: not known. */
  readonly forMs?: number;
}

/** What the service shows of routing. */
export interface RoutingView {
  /** Targets that were asked, and those of the configured routes, ordered by name. `route`: only those of this route. */
  targets(route?: string): readonly TargetView[];
  /** Ids of the configured routes, ordered. */
  routes(): readonly string[];
  /** State of a target by its name. A target without calls is closed. */
  stateOf(target: string): TargetStateName;
  /** Calls the listener at each change. Returns the function that ends this. */
  onChange(listener: (change: StateChange) => void): () => void;
}

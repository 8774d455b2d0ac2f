import type { AttemptOutcome } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import type { TargetStateName } from "../../../src/routing/target-view.ts";
import type { Behavior, Script, ScriptedCall, ScriptedRoute, ScriptedTarget } from "./script.ts";

/** When something happened. */
export interface Moment {
  readonly ms: number;
  /** Turn of the clock. Within one turn, the order says little. */
  readonly turn: number;
  /** Order of all events of a script. */
  readonly seq: number;
}

export interface TracedAttempt {
  readonly call: TracedCall;
  readonly target: number;
  /** Names the key among all targets: those of one provider share their keys. */
  readonly key: string;
  readonly behavior: Behavior;
  /** Whether one response was requested instead of a stream. */
  readonly isWhole: boolean;
  readonly signal: AbortSignal;
  readonly start: Moment;
  /** Time that the call had left at the start. */
  readonly leftMs: number;
  /** First output, if routing had not ended the attempt before. */
  output?: Moment;
  /** Each end, of which there must be one. */
  readonly ends: (Moment & { readonly outcome: AttemptOutcome; readonly reason: string })[];
  /** Failure of the provider, and not an abort by routing. */
  failure?: Moment & { readonly error: unknown };
  /** Abort by routing or by the call. */
  abort?: Moment & { readonly reason: unknown };
  readonly batches: unknown[];
  hasUsage: () => boolean;
}

export interface TracedCall {
  readonly index: number;
  readonly scripted: ScriptedCall;
  readonly route: ScriptedRoute;
  readonly start: Moment;
  readonly deadlineMs: number;
  readonly attempts: TracedAttempt[];
  readonly handed: (Moment & { readonly batch: unknown })[];
  readonly ends: (Moment & { readonly error: unknown })[];
  /** Deadline or cancel. */
  abort?: Moment & { readonly kind: "DEADLINE_EXCEEDED" | "CANCELLED" };
  /** First target that PlanChat names, with the reason against it. */
  considered?: { readonly target: number; readonly rejection: string };
  /** Whether the call asked for the time that is left without end. */
  isEndless?: true;
  /** Listeners that are left at its signal after its end. */
  listeners?: number;
}

export interface TracedChange extends Moment {
  readonly target: number;
  readonly from: TargetStateName;
  readonly to: TargetStateName;
  readonly forMs: number | undefined;
}

/** All that happened in a script. */
export interface Trace {
  readonly script: Script;
  readonly calls: readonly TracedCall[];
  /** In the order of their starts. */
  readonly attempts: readonly TracedAttempt[];
  readonly changes: readonly TracedChange[];
  /** Attempts that a target counts as in progress after the end. */
  readonly leftInFlight: number;
  /** Timers at the end of the last call, without those of breakers. */
  readonly leftTimers: number;
}

export function targetOf({ script }: Trace, index: number): ScriptedTarget {
  return script.targets[index] as ScriptedTarget;
}

/** Returns the targets of a route with the index of their tier. */
export function membersOf({ tiers }: ScriptedRoute): readonly { readonly target: number; readonly tier: number }[] {
  return tiers.flatMap(({ targets }, tier) => targets.map((target) => ({ target, tier })));
}

/** Returns the keys of a target, as in `TracedAttempt.key`. */
export function keysOf({ script }: Trace, target: number): readonly string[] {
  const { keys, provider } = script.targets[target] as ScriptedTarget;
  return keys === 0 ? [keyless(target)] : Array.from({ length: keys }, (_, index) => `p${provider}k${index}`);
}

/** Returns what stands for the key of a target without keys. */
export function keyless(target: number): string {
  return `t${target}`;
}

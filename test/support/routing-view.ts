import fc from "fast-check";
import type { RoutingView, StateChange, TargetStateName, TargetView } from "../../src/routing/target-view.ts";

/** Makes a target that works and has no attempts, except for `changes`. */
export function targetView(name: string, changes: Partial<TargetView> = {}): TargetView {
  return {
    name,
    state: "closed",
    failureRatio: 0,
    firstOutputMs: undefined,
    openUntilMs: undefined,
    inFlight: 0,
    queueLength: 0,
    keys: [],
    learned: [],
    ...changes,
  };
}

/** State of routing that a test sets. */
export class RoutingViewInMemory implements RoutingView {
  readonly #targets = new Map<string, TargetView>();
  readonly #routes: Map<string, readonly string[]>;
  readonly #listeners = new Set<(change: StateChange) => void>();

  /** `routes`: names of the targets of each route. */
  constructor(targets: readonly TargetView[] = [], routes: Readonly<Record<string, readonly string[]>> = {}) {
    for (const target of targets) this.#targets.set(target.name, target);
    this.#routes = new Map(Object.entries(routes));
  }

  targets(route?: string): readonly TargetView[] {
    const names = route === undefined ? [...this.#targets.keys()] : [...(this.#routes.get(route) ?? [])];
    return names.sort().map((name) => this.#targets.get(name) ?? targetView(name));
  }

  routes(): readonly string[] {
    return [...this.#routes.keys()].sort();
  }

  stateOf(target: string): TargetStateName {
    return this.#targets.get(target)?.state ?? "closed";
  }

  onChange(listener: (change: StateChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Number of listeners. */
  get listeners(): number {
    return this.#listeners.size;
  }

  add(target: TargetView): void {
    this.#targets.set(target.name, target);
  }

  remove(name: string): void {
    this.#targets.delete(name);
  }

  /** Changes the state of a target and calls the listeners. */
  move(target: string, to: TargetStateName, reason = ""): void {
    const from = this.stateOf(target);
    this.add({ ...(this.#targets.get(target) ?? targetView(target)), state: to });
    this.emit({ target, from, to, reason });
  }

  emit(change: StateChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

const ms = fc.double({ min: 0, max: 600_000, noNaN: true });
const time = fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 });
const name = fc.string({
  unit: fc.constantFrom("a", "b", "/", "-", ".", ":", "é", "語", "👩"),
  minLength: 1,
  maxLength: 12,
});

/** Any state of a target. */
export const anyTarget: fc.Arbitrary<TargetView> = fc.record({
  name: name.map((model) => `openai/${model}`),
  state: fc.constantFrom("closed", "open", "half_open"),
  failureRatio: fc.double({ min: 0, max: 1, noNaN: true }),
  firstOutputMs: fc.option(ms, { nil: undefined }),
  openUntilMs: fc.option(time, { nil: undefined }),
  inFlight: fc.nat(),
  queueLength: fc.nat(),
  keys: fc.array(
    fc.record({
      name: fc.string({ unit: "grapheme" }),
      coolUntilMs: fc.option(time, { nil: undefined }),
      reason: fc.constantFrom("", "PROVIDER_RATE_LIMITED"),
    }),
    { maxLength: 3 },
  ),
  learned: fc.array(
    fc.record(
      { name, otherName: name, rejection: fc.string({ unit: "grapheme" }), untilMs: time },
      { requiredKeys: ["name", "rejection", "untilMs"] },
    ),
    { maxLength: 3 },
  ),
});

/** States of targets with unique names. */
export const anyTargets = fc.uniqueArray(anyTarget, { selector: ({ name: unique }) => unique, maxLength: 40 });

import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../src/errors.ts";
import { FairSlots } from "../src/fair-slots.ts";

const notice = { thing: "a slot", retryAfterMs: 5, metadata: { provider: "p" } };
const holders = ["a", "b", "c"] as const;
const { signal } = new AbortController();

/** Takes a slot that must be free. */
function takeFree(slots: FairSlots, holder: string): void {
  expect(slots.take({ holder, signal })).toBeUndefined();
}

type Step =
  | { readonly kind: "take"; readonly holder: (typeof holders)[number] }
  | { readonly kind: "release"; readonly which: number }
  | { readonly kind: "abort"; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("take"), holder: fc.constantFrom(...holders) } as const) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("release"), which: fc.nat() } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abort"), which: fc.nat() } as const) },
);

type State = "waiting" | "running" | "full" | "aborted";

/** A call as its caller sees it. */
interface Seen {
  readonly holder: string;
  readonly controller: AbortController;
  state: State;
}

const aborted = new GatewayError("CANCELLED", "the caller cancelled");

class Run {
  readonly slots: FairSlots;
  readonly count: number;
  readonly maxWaiting: number;
  readonly maxPerHolder: number;
  readonly calls: Seen[] = [];
  /** For each holder that waits, the other holders that had a turn since its own last turn, while it could have one. */
  readonly turnsSince = new Map<string, Set<string>>();

  constructor(count: number, maxWaiting: number, maxPerHolder: number | undefined) {
    this.slots = new FairSlots(count, maxWaiting, notice, maxPerHolder);
    this.count = count;
    this.maxWaiting = maxWaiting;
    this.maxPerHolder = maxPerHolder ?? count;
  }

  in(state: State, holder?: string): readonly Seen[] {
    return this.calls.filter((call) => call.state === state && (holder === undefined || call.holder === holder));
  }

  isBelowBound(holder: string): boolean {
    return this.in("running", holder).length < this.maxPerHolder;
  }

  async do(step: Step): Promise<void> {
    const waitingBefore = holders.map((holder) => this.in("waiting", holder));
    switch (step.kind) {
      case "take":
        await this.#take(step.holder, waitingBefore.flat());
        break;
      case "release":
        await this.#release(step.which, waitingBefore);
        break;
      case "abort": {
        const waiting = this.in("waiting");
        const call = this.calls[step.which % this.calls.length];
        const expected = call?.state === "waiting" ? "aborted" : call?.state;
        call?.controller.abort(aborted);
        await setImmediate();
        expect(call?.state).toBe(expected);
        expect(this.in("waiting")).toEqual(waiting.filter((other) => other !== call));
        break;
      }
      default:
        step satisfies never;
    }
    expect(this.slots.waiting).toBe(this.in("waiting").length);
    expect(this.slots.waiting).toBeLessThanOrEqual(this.maxWaiting);
    expect(this.in("running").length).toBeLessThanOrEqual(this.count);
    // A call waits only if no slot is free or its holder is at its bound.
    const isFull = this.in("running").length === this.count;
    for (const holder of holders) {
      expect(this.in("running", holder).length).toBeLessThanOrEqual(this.maxPerHolder);
      if (this.in("waiting", holder).length > 0 && this.isBelowBound(holder)) expect(isFull).toBe(true);
      if (this.in("waiting", holder).length === 0) this.turnsSince.delete(holder);
      else if (!this.turnsSince.has(holder)) this.turnsSince.set(holder, new Set());
    }
  }

  async #take(holder: string, before: readonly Seen[]): Promise<void> {
    const own = before.filter((call) => call.holder === holder).length;
    const most = Math.max(0, ...holders.map((name) => before.filter((call) => call.holder === name).length));
    const isFull = before.length === this.maxWaiting;
    const controller = new AbortController();
    const call: Seen = { holder, controller, state: "waiting" };
    const hadFree = this.in("running").length < this.count && this.isBelowBound(holder);
    const settle = (error: unknown) => {
      call.state = error === aborted ? "aborted" : "full";
      if (error !== aborted) expect(error).toMatchObject({ reason: "QUEUE_FULL" });
    };
    try {
      const wait = this.slots.take({ holder, signal: controller.signal });
      if (wait === undefined) call.state = "running";
      else
        wait.then(() => {
          call.state = "running";
        }, settle);
    } catch (error) {
      settle(error);
    }
    this.calls.push(call);
    await setImmediate();
    if (hadFree) expect(call.state).toBe("running");
    else if (!isFull) expect(call.state).toBe("waiting");
    else if (most <= own + 1) expect(call.state).toBe("full");
    else {
      expect(call.state).toBe("waiting");
      const replaced = before.filter(({ state }) => state === "full");
      expect(replaced).toHaveLength(1);
      const [victim] = replaced;
      const others = before.filter((other) => other.holder === victim?.holder);
      expect(others).toHaveLength(most);
      expect(others.at(-1)).toBe(victim);
    }
  }

  async #release(which: number, before: readonly (readonly Seen[])[]): Promise<void> {
    const running = this.in("running");
    const ended = running[which % running.length];
    if (ended === undefined) return;
    this.calls.splice(this.calls.indexOf(ended), 1);
    const eligible = holders.filter((holder) => this.in("waiting", holder).length > 0 && this.isBelowBound(holder));
    this.slots.release(ended);
    await setImmediate();
    const served = before.flatMap((calls) => calls.filter(({ state }) => state === "running"));
    expect(served).toHaveLength(eligible.length > 0 ? 1 : 0);
    // The call that was served had waited longest of its holder.
    for (const calls of before) if (calls.includes(served[0] as Seen)) expect(calls[0]).toBe(served[0]);
    const [turn] = served;
    if (turn === undefined) return;
    expect(eligible).toContain(turn.holder);
    // Nobody has two turns while another holder waits for one that it may have. Therefore no call starves.
    for (const [holder, turns] of this.turnsSince) {
      if (holder === turn.holder || !eligible.some((name) => name === holder)) continue;
      expect(turns).not.toContain(turn.holder);
      turns.add(turn.holder);
    }
    this.turnsSince.set(turn.holder, new Set());
  }
}

describe("FairSlots", () => {
  it("starves no call and keeps each holder's order and bound, whatever happens", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60, size: "max" }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 8 }),
        fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
        async (steps, count, maxWaiting, maxPerHolder) => {
          const run = new Run(count, maxWaiting, maxPerHolder);
          for (const next of steps) await run.do(next);
        },
      ),
      { numRuns: 200 },
    ));

  it("gives slots to the holders in turn, however many calls one of them has", async () => {
    const slots = new FairSlots(1, 10, notice);
    takeFree(slots, "a");
    const served: string[] = [];
    for (const holder of ["a", "a", "a", "b", "c", "b"]) {
      void slots.take({ holder, signal })?.then(() => served.push(holder));
    }
    for (const holder of ["a", "a", "b", "c", "a", "b"]) slots.release({ holder });
    await setImmediate();
    expect(served).toEqual(["a", "b", "c", "a", "b", "a"]);
  });

  it("gives no free slot to a holder at its bound, and its turn when it is below", async () => {
    const slots = new FairSlots(3, 10, notice, 2);
    for (const holder of ["a", "a"]) takeFree(slots, holder);
    const served: string[] = [];
    const wait = (name: string, holder: string) => void slots.take({ holder, signal })?.then(() => served.push(name));
    wait("a3", "a");
    wait("a4", "a");
    takeFree(slots, "b");
    wait("b2", "b");
    wait("b3", "b");
    slots.release({ holder: "b" });
    await setImmediate();
    expect(served).toEqual(["b2"]);
    slots.release({ holder: "a" });
    await setImmediate();
    expect(served).toEqual(["b2", "a3"]);
  });

  it("lets a single holder use the whole queue", () => {
    const slots = new FairSlots(1, 10, notice);
    takeFree(slots, "a");
    for (let call = 0; call < 10; call++) void slots.take({ holder: "a", signal })?.catch(() => {});
    expect(slots.waiting).toBe(10);
  });

  it("rejects with a retry delay and the facts of the queue if it is full", () => {
    const slots = new FairSlots(1, 1, notice);
    takeFree(slots, "a");
    void slots.take({ holder: "a", signal });
    expect(() => slots.take({ holder: "a", signal })).toThrow(
      expect.objectContaining({
        reason: "QUEUE_FULL",
        status: "RESOURCE_EXHAUSTED",
        facts: { retryAfterMs: 5, metadata: { provider: "p", bound: "queue for a slot", waiting: "1" } },
      }),
    );
  });
});

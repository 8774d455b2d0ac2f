import type { CallEnvironment } from "../../src/calls/call-environment.ts";
import type { CallBounds } from "../../src/calls/snapshot.ts";
import { ByteBudget } from "../../src/load/byte-budget.ts";
import { counting } from "./counting.ts";

type Environment = Omit<CallEnvironment, "slots" | "wrongKeys" | "learned" | "router" | "limits">;

/** Makes the environment of calls in a test: without observers and with a wide budget, except for `changes`. */
export function callEnvironment(changes: Partial<Environment> = {}): Environment {
  return { observers: [], requestBytes: new ByteBudget(2 ** 30), ...changes };
}

/** Makes wide bounds of calls in a test, except for `changes`. */
export function callBounds(changes: Partial<CallBounds> = {}): CallBounds {
  return {
    maxCallMs: 60_000,
    maxRequestMs: 30_000,
    maxCallsPerModel: undefined,
    workers: 1,
    maxAnswerBytes: 1_000_000,
    maxValues: 250_000,
    counting: counting.limits,
    ...changes,
  };
}

import type { CallEnvironment } from "../../src/calls/call-environment.ts";
import { ByteBudget } from "../../src/load/byte-budget.ts";
import { counting } from "./counting.ts";

type Environment = Omit<CallEnvironment, "slots" | "wrongKeys" | "learned" | "router" | "limits">;

/** Makes the environment of calls in a test: without observers and with wide limits, except for `changes`. */
export function callEnvironment(changes: Partial<Environment>): Environment {
  return {
    observers: [],
    maxCallMs: 60_000,
    maxRequestMs: 30_000,
    maxCallsPerModel: undefined,
    maxAnswerBytes: 1_000_000,
    maxValues: 250_000,
    counting: counting.limits,
    requestBytes: new ByteBudget(2 ** 30),
    ...changes,
  };
}

import type { GatewayError } from "../errors.ts";
import { overloaded } from "./overloaded.ts";
import type { Rejections } from "./rejections.ts";

/** Bound on one kind of load of the process. */
export interface LoadBound {
  /** Name in errors and in the log, such as `heap`. */
  readonly name: string;
  /** What is wrong beyond the bound, for the caller: `its memory is nearly full`. */
  readonly problem: string;
  /** Whether the bound rejects only calls that may ask a provider. Default false. */
  readonly isForCost?: boolean;
  /** Whether the load is beyond the bound. Called for each new call, so it must only read a value. */
  isExceeded(): boolean;
}

/** Decides whether the process takes a new call. Calls that it took before continue in any case. */
export class LoadGuard {
  readonly #bounds: readonly LoadBound[];
  readonly #rejections: Rejections;

  constructor(bounds: readonly LoadBound[], rejections: Rejections) {
    this.#bounds = bounds;
    this.#rejections = rejections;
  }

  /**
   * Returns the error of a new call, and counts it. Undefined: the process takes the call. `mayCost`: whether the call
   * may ask a provider.
   */
  check(mayCost: boolean): GatewayError | undefined {
    for (const bound of this.#bounds) {
      if ((bound.isForCost && !mayCost) || !bound.isExceeded()) continue;
      this.#rejections.count("OVERLOADED", bound.name);
      return overloaded(bound.name, bound.problem);
    }
    return undefined;
  }
}

import type { ProcessGroup } from "../../processes.ts";
import type { Caller } from "../callers.ts";
import type { Cell, Scenario } from "../scenarios.ts";

/** A gateway under test. */
export interface System {
  /** Name in cells and rows. */
  readonly name: string;
  /** Name, version and what matters of the configuration, for people. */
  readonly description: string;
  /** Whether the system takes part in the scenario. */
  runs(scenario: Scenario): boolean;
  /** Returns a caller of the cell, and the model that it requests. */
  callerOf(cell: Cell): { readonly caller: Caller; readonly model: string };
}

/** What is needed to start a system. */
export interface Setting {
  readonly processes: ProcessGroup;
  /** Root of the repository. */
  readonly root: string;
  /** Folder for configuration files and logs of this run. */
  readonly output: string;
  /** URL of the scripted upstreams, with `/v1`. */
  readonly upstream: string;
  readonly scenarios: readonly Scenario[];
}

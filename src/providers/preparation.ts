import type { Environment } from "../config/environment.ts";

/** Problem with a preparation that the operator must solve. The message says how. */
export class PreparationError extends Error {
  override readonly name = "PreparationError";
}

/** Stream for the messages of a preparation. */
export interface PreparationOutput {
  write(text: string): unknown;
  /** Whether a person reads the messages in a terminal, which then has a progress bar. */
  readonly isTTY?: boolean;
}

/** Where a preparation runs. Programs that it starts get the same environment. */
export interface Surroundings {
  readonly environment: Environment;
  readonly output: PreparationOutput;
}

/**
 * Downloads what a provider needs on this machine for a model, or for its default model without a name. Keeps files
 * that are already present and intact. Throws PreparationError.
 */
export type Prepare = (model: string | undefined, surroundings: Surroundings) => Promise<void>;

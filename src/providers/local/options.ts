import { availableParallelism } from "node:os";
import type { z } from "zod";
import { section, wholeNumber } from "../../config/rules.ts";
import { defaultContextSize } from "./models.ts";

/** Schema of `providers.local.options` in the configuration. */
export const optionsSchema = section({
  /** Context window (prompt and response) in tokens, 64 or more, at most that of the model's training. Default 2048. */
  context_size: wholeNumber(64).prefault(defaultContextSize),
  /**
   * Number of compute threads. Default: the number of processors minus one, which remains for Dragoman. Threads that
   * share a processor run five times slower (measured).
   */
  threads: wholeNumber(1).prefault(Math.max(1, availableParallelism() - 1)),
  /** Maximum number of queued requests of a model. The queue is fair between accounts. Beyond it: QUEUE_FULL. Default 16. */
  max_queue: wholeNumber(0).prefault(16),
  /** Number of requests of a model in parallel, 1 to 64. Default 1: on a CPU, two run at half the speed (measured). */
  parallel: wholeNumber(1, 64).prefault(1),
});

export type LocalOptions = z.output<typeof optionsSchema>;

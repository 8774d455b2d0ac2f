import type { Bounds } from "./watch.ts";

/**
 * Bounds of the laws. The law for a turn of the event loop is 250 ms. It is measured in CPU time, which other processes
 * can only raise through caches and shared cores; the margin is for that, and for the first use of a code path.
 */
export const bounds: Bounds = { turnMs: 400, rssMiB: 700 };

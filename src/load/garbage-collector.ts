import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

type Flavor = "regular" | "last-resort";

/** Creates a function that runs a full garbage collection, which blocks the process. */
export function garbageCollector(flavor: Flavor = "regular"): () => void {
  setFlagsFromString("--expose-gc");
  const gc: (options: object) => void = runInNewContext("gc");
  return () => gc({ type: "major", execution: "sync", flavor });
}

/**
 * Returns memory that only the start of a process or a thread needed: up to 75 MiB, most of it a young generation that
 * grew while modules loaded. V8 has optimized no code yet, so that this discards none. It blocks for 100 to 300 ms.
 */
export function shrinkHeap(): void {
  garbageCollector("last-resort")();
}

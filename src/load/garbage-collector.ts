import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Creates a function that runs a full garbage collection, which blocks the process. */
export function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const gc: (options: object) => void = runInNewContext("gc");
  return () => gc({ type: "major", execution: "sync", flavor: "regular" });
}

import type { Writable } from "node:stream";

/**
 * Waits until a stream that is full can be written to again, or was destroyed, or the signal fires. A sender that waits
 * here pauses what it reads from. Undefined if there is nothing to wait for.
 */
export function drained(stream: Writable, signal: AbortSignal): Promise<void> | undefined {
  if (stream.destroyed || signal.aborted) return undefined;
  return new Promise((resolve) => {
    const settle = (): void => {
      stream.off("drain", settle);
      stream.off("close", settle);
      signal.removeEventListener("abort", settle);
      resolve();
    };
    stream.on("drain", settle);
    stream.on("close", settle);
    signal.addEventListener("abort", settle);
  });
}

import type { Writable } from "node:stream";

/**
 * Waits until a stream with a full buffer can be written to again or is destroyed, or the signal fires. A sender that
 * waits stops reading from its own source (backpressure). Returns undefined if the stream is already destroyed or the
 * signal has fired.
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

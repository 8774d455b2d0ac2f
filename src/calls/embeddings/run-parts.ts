import { GatewayError } from "../../errors.ts";

/** Upstream requests of one call that may be in progress at once. */
const mostAtOnce = 4;

/**
 * Runs the parts of a call, a few of them at once, and returns their results in order. The first failure aborts the
 * others, and is the error.
 *
 * @param signal aborts all parts. Its reason is a GatewayError
 */
export async function runParts<Part, Result>(
  parts: readonly Part[],
  signal: AbortSignal,
  run: (part: Part, signal: AbortSignal) => Promise<Result>,
): Promise<readonly Result[]> {
  const [only] = parts;
  // The usual case needs no signal of its own.
  if (only !== undefined && parts.length === 1) return [await run(only, signal)];
  const others = new AbortController();
  const either = AbortSignal.any([signal, others.signal]);
  const results: Result[] = [];
  let failure: { readonly error: unknown } | undefined;
  let next = 0;
  async function work(): Promise<void> {
    while (next < parts.length && failure === undefined) {
      const index = next++;
      try {
        results[index] = await run(parts[index] as Part, either);
      } catch (error) {
        failure ??= { error };
        others.abort(new GatewayError("CANCELLED", "another upstream request of the call failed"));
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(mostAtOnce, parts.length) }, work));
  if (failure !== undefined) throw failure.error;
  return results;
}

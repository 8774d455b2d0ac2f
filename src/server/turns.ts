/** Waits for a place in a turn of the event loop. Returns undefined if this turn has a free place. */
export type NextTurn = () => Promise<void> | undefined;

/**
 * Creates a limit of `perTurn` units of work per turn of the event loop, so that much cheap work does not delay other
 * callers. Further units wait for later turns, in order.
 */
export function createTurns(perTurn: number): NextTurn {
  const waiting: (() => void)[] = [];
  let left = perTurn;
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      const admitted = waiting.splice(0, perTurn);
      left = perTurn - admitted.length;
      for (const admit of admitted) admit();
      if (admitted.length > 0) schedule();
    });
  }

  return () => {
    schedule();
    if (left > 0) {
      left--;
      return undefined;
    }
    return new Promise((resolve) => waiting.push(resolve));
  };
}

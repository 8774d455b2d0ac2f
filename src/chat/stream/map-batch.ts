import { append } from "../../append.ts";
import type { ChatEvent } from "./events.ts";

/**
 * Replaces each event of a batch by one or several. Returns the batch itself if no event changes, as in nearly all
 * batches: one can have tens of thousands of events.
 */
export function mapBatch(
  batch: readonly ChatEvent[],
  change: (event: ChatEvent) => ChatEvent | readonly ChatEvent[],
): readonly ChatEvent[] {
  let changed: ChatEvent[] | undefined;
  for (let index = 0; index < batch.length; index++) {
    const event = batch[index] as ChatEvent;
    const next = change(event);
    if (next === event) {
      changed?.push(event);
      continue;
    }
    changed ??= batch.slice(0, index);
    if ("case" in next) changed.push(next);
    else append(changed, next);
  }
  return changed ?? batch;
}

import type { ChatEvent } from "./events.ts";

/**
 * Returns a batch in which the tool calls have the caller's function names. `names` has the caller's name for each name
 * that Dragoman sent instead. A name that is not in `names` stays as the model wrote it.
 */
export function restoreToolNames(
  batch: readonly ChatEvent[],
  names: ReadonlyMap<string, string>,
): readonly ChatEvent[] {
  return batch.map((event) => {
    if (event.case !== "delta" || event.value.delta.case !== "toolCall") return event;
    const { value } = event.value.delta;
    const name = names.get(value.name);
    if (name === undefined) return event;
    return { case: "delta", value: { ...event.value, delta: { case: "toolCall", value: { ...value, name } } } };
  });
}

import type { ItemStatus, OutputEvent, OutputItem } from "./wire.ts";

/** Receives the events of a response in their order. */
export type Emit = (event: OutputEvent) => void;

/** Place of an item in the output. */
export interface Place {
  readonly id: string;
  readonly index: number;
}

/** Item of the output that can still grow. */
export interface OpenItem extends Place {
  /** Ends the item, with the events for it. */
  close(status: Exclude<ItemStatus, "in_progress">): void;
  /** The item so far. */
  readonly item: OutputItem;
}

/** Returns the fields of an event about an item. */
export function placeOf({ id, index }: Place) {
  return { item_id: id, output_index: index } as const;
}

export function emitAdded(emit: Emit, { index }: Place, item: OutputItem): void {
  emit({ type: "response.output_item.added", output_index: index, item });
}

export function emitDone(emit: Emit, { index }: Place, item: OutputItem): void {
  emit({ type: "response.output_item.done", output_index: index, item });
}

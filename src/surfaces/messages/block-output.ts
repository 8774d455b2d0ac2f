import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";

/** Event of a stream about a content block. */
export type BlockEvent =
  | { readonly type: "content_block_start"; readonly index: number; readonly content_block: Block }
  | { readonly type: "content_block_delta"; readonly index: number; readonly delta: BlockDelta }
  | { readonly type: "content_block_stop"; readonly index: number };

/** Content block. Its other fields depend on its type. */
export interface Block {
  readonly type: string;
  readonly [field: string]: unknown;
}

export type BlockDelta =
  | { readonly type: "text_delta"; readonly text: string }
  | { readonly type: "citations_delta"; readonly citation: object }
  | { readonly type: "thinking_delta"; readonly thinking: string }
  | { readonly type: "signature_delta"; readonly signature: string }
  | { readonly type: "input_json_delta"; readonly partial_json: string };

/** Collects the events of blocks, and numbers the blocks. One block at a time is open. */
export class BlockOutput {
  #index = -1;
  #events: BlockEvent[] = [];

  start(block: Block): void {
    this.#events.push({ type: "content_block_start", index: ++this.#index, content_block: block });
  }

  delta(delta: BlockDelta): void {
    this.#events.push({ type: "content_block_delta", index: this.#index, delta });
  }

  stop(): void {
    this.#events.push({ type: "content_block_stop", index: this.#index });
  }

  /** Adds a block that has no deltas. */
  whole(block: Block): void {
    this.start(block);
    this.stop();
  }

  /** Returns the events since the last call. */
  take(): readonly BlockEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** Writes one part as content blocks. */
export interface PartWriter {
  add(delta: PartDelta): void;
  /** Whether the part can end, so that the next one begins. More of it may still come. */
  canEnd(): boolean;
  end(): void;
}

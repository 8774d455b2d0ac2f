import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import { type BlockEvent, BlockOutput, type PartWriter } from "./block-output.ts";
import type { IsClaude } from "./claude.ts";
import { createWriter, TextWriter } from "./part-writers.ts";

/** A part that has not ended. */
interface Pending {
  readonly index: number;
  /** Deltas that wait for the parts before this one to end. */
  readonly held: PartDelta[];
}

/**
 * Translates the deltas of a response to the events of its content blocks. Deltas of several parts may interleave, but
 * Anthropic's blocks follow each other. The first part that has not ended is written at once, and those after it wait.
 * A part ends when another one begins, but a call only when its JSON is complete.
 */
export class ContentStream {
  readonly #isClaude: IsClaude;
  readonly #output = new BlockOutput();
  readonly #pending: Pending[] = [];
  readonly #begun = new Set<number>();
  #writer: PartWriter | undefined;

  constructor(isClaude: IsClaude) {
    this.#isClaude = isClaude;
  }

  add(delta: PartDelta): readonly BlockEvent[] {
    const pending = this.#pendingOf(delta);
    if (pending === this.#pending[0] && this.#writer !== undefined) this.#writer.add(delta);
    else pending?.held.push(delta);
    while (this.#writer === undefined ? this.#pending.length > 0 : this.#pending.length > 1 && this.#writer.canEnd()) {
      this.#next();
    }
    return this.#output.take();
  }

  /** Ends all parts. Sources of the whole response become citations of its last text. */
  end(sources: readonly Citation[]): readonly BlockEvent[] {
    while (this.#pending.length > 1) this.#next();
    const last = this.#writer instanceof TextWriter ? this.#writer : new TextWriter(this.#output, this.#isClaude);
    if (last !== this.#writer) this.#next();
    for (const source of sources) last.cite(source);
    last.end();
    return this.#output.take();
  }

  /**
   * Returns the part of a delta. More of a text that has ended begins a further block; a call that has ended is whole,
   * so that more of it can only be blanks.
   */
  #pendingOf({ partIndex: index, delta }: PartDelta): Pending | undefined {
    const known = this.#pending.find((pending) => pending.index === index);
    if (known !== undefined) return known;
    const isMore = this.#begun.has(index);
    if (isMore && /tool/i.test(delta.case ?? "")) return undefined;
    this.#begun.add(index);
    const pending = { index, held: [] };
    this.#pending.push(pending);
    return pending;
  }

  /** Ends the part that is being written, if any, and begins the next one, if any. */
  #next(): void {
    if (this.#writer !== undefined) {
      this.#writer.end();
      this.#pending.shift();
    }
    const [first, ...others] = this.#pending[0]?.held.splice(0) ?? [];
    this.#writer = first && createWriter(first, this.#output, this.#isClaude);
    for (const delta of first === undefined ? [] : [first, ...others]) this.#writer?.add(delta);
  }
}

import { type ChatEvent, type DeltaEvent, toolCallDelta } from "../../chat/stream/events.ts";
import { newCallId } from "./call-ids.ts";
import { PartialArguments } from "./partial-arguments.ts";
import type { ChunkCall } from "./wire.ts";

/** Call whose arguments arrive in pieces. Only its first piece has a name. */
interface OpenCall {
  readonly partIndex: number;
  readonly id: string | null | undefined;
  readonly pieces: PartialArguments;
}

/** The tool calls of one candidate. */
export class FunctionCalls {
  readonly #choiceIndex: number;
  readonly #newPart: () => number;
  #open: OpenCall | undefined;
  #count = 0;

  /** `newPart` returns the next free part index. */
  constructor(choiceIndex: number, newPart: () => number) {
    this.#choiceIndex = choiceIndex;
    this.#newPart = newPart;
  }

  get count(): number {
    return this.#count;
  }

  /** Appends the events for a call or a piece of one. `sign` adds the signature. Returns false if it is malformed. */
  add(called: ChunkCall, sign: (event: DeltaEvent) => DeltaEvent, batch: ChatEvent[]): boolean {
    const { id, name, args, partialArgs, willContinue } = called;
    const open = this.#open;
    if (open !== undefined && (!name || (id && id === open.id))) {
      if (!open.pieces.add(called)) return false;
      batch.push(sign(toolCallDelta(this.#choiceIndex, open.partIndex, "")));
      if (!willContinue) this.end(batch);
      return true;
    }
    // The last piece of a call can be empty.
    if (!name) return args === undefined && !partialArgs?.length && this.#count > 0;
    this.end(batch);
    this.#count++;
    const partIndex = this.#newPart();
    const isWhole = !willContinue && !partialArgs?.length;
    const json = isWhole ? JSON.stringify(args ?? {}) : "";
    batch.push(sign(toolCallDelta(this.#choiceIndex, partIndex, json, id || newCallId(), name)));
    if (isWhole) return true;
    const pieces = new PartialArguments();
    this.#open = { partIndex, id, pieces };
    if (!pieces.add(called)) return false;
    if (!willContinue) this.end(batch);
    return true;
  }

  /** Appends the arguments of a call that arrived in pieces. The stream can end without its last, empty piece. */
  end(batch: ChatEvent[]): void {
    if (this.#open === undefined) return;
    batch.push(toolCallDelta(this.#choiceIndex, this.#open.partIndex, this.#open.pieces.json));
    this.#open = undefined;
  }
}

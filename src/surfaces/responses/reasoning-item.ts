import { type Emit, emitAdded, emitDone, type OpenItem, placeOf } from "./open-item.ts";
import type { ReasoningItem, SummaryText } from "./wire.ts";

/**
 * Reasoning of the output. The text is the summary, even if it is the reasoning itself: clients show summaries, and
 * send them back, but drop `content`.
 */
export class OpenReasoning implements OpenItem {
  readonly id: string;
  readonly index: number;
  readonly #emit: Emit;
  #text = "";
  #encrypted = "";

  constructor(id: string, index: number, emit: Emit) {
    this.id = id;
    this.index = index;
    this.#emit = emit;
    emitAdded(emit, this, this.item);
  }

  get item(): ReasoningItem {
    return {
      id: this.id,
      type: "reasoning",
      summary: this.#text === "" ? [] : [summaryOf(this.#text)],
      ...(this.#encrypted !== "" && { encrypted_content: this.#encrypted }),
    };
  }

  write(text: string): void {
    const place = { ...placeOf(this), summary_index: 0 } as const;
    if (this.#text === "") {
      this.#emit({ type: "response.reasoning_summary_part.added", ...place, part: summaryOf("") });
    }
    this.#text += text;
    this.#emit({ type: "response.reasoning_summary_text.delta", ...place, delta: text });
  }

  get text(): string {
    return this.#text;
  }

  /** Sets `encrypted_content`, which the client sends back. */
  seal(encrypted: string): void {
    this.#encrypted = encrypted;
  }

  close(): void {
    const place = { ...placeOf(this), summary_index: 0 } as const;
    const text = this.#text;
    if (text !== "") {
      this.#emit({ type: "response.reasoning_summary_text.done", ...place, text });
      this.#emit({ type: "response.reasoning_summary_part.done", ...place, part: summaryOf(text) });
    }
    emitDone(this.#emit, this, this.item);
  }
}

function summaryOf(text: string): SummaryText {
  return { type: "summary_text", text };
}

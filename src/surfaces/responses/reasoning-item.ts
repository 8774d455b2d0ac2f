import { joinStates } from "../../chat/stream/fold.ts";
import type { Reasoning } from "../../gen/dragoman/v1/message_pb.js";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import { encodeParts } from "./opaque.ts";
import { type Emit, emitAdded, emitDone, type OpenItem, type Place, placeOf } from "./open-item.ts";
import type { ReasoningItem, SummaryText } from "./wire.ts";

/**
 * Reasoning of the output. The text is the summary, even if it is the reasoning itself: clients show summaries, and
 * send them back, but drop `content`.
 */
export class OpenReasoning implements OpenItem {
  readonly id: string;
  readonly index: number;
  /** Part of the reasoning. Undefined: the item only carries other parts. */
  readonly part: number | undefined;
  readonly #emit: Emit;
  readonly #states: ProviderState[] = [];
  #text = "";
  #isRedacted = false;
  #encrypted = "";

  constructor({ id, index }: Place, emit: Emit, part?: number) {
    this.id = id;
    this.index = index;
    this.part = part;
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

  write({ text, redacted }: Pick<Reasoning, "text" | "redacted">, state: ProviderState | undefined): void {
    this.#isRedacted ||= redacted;
    if (state !== undefined) this.#states.push(state);
    if (text === "") return;
    const place = { ...placeOf(this), summary_index: 0 } as const;
    if (this.#text === "") {
      this.#emit({ type: "response.reasoning_summary_part.added", ...place, part: summaryOf("") });
    }
    this.#text += text;
    this.#emit({ type: "response.reasoning_summary_text.delta", ...place, delta: text });
  }

  /** Sets `encrypted_content`, which the client sends back. */
  seal(encrypted: string): void {
    this.#encrypted = encrypted;
  }

  close(): void {
    this.#sealReasoning();
    const place = { ...placeOf(this), summary_index: 0 } as const;
    const text = this.#text;
    if (text !== "") {
      this.#emit({ type: "response.reasoning_summary_text.done", ...place, text });
      this.#emit({ type: "response.reasoning_summary_part.done", ...place, part: summaryOf(text) });
    }
    emitDone(this.#emit, this, this.item);
  }

  /**
   * Providers require the reasoning back, with their state or without it. Clients may drop the summary, and some of them
   * drop items without `encrypted_content`.
   */
  #sealReasoning(): void {
    const providerState = joinStates(this.#states);
    if (providerState === undefined && !this.#isRedacted && this.#text === "") return;
    const kind = { case: "reasoning", value: { text: this.#text, redacted: this.#isRedacted } } as const;
    this.seal(encodeParts([{ kind, ...(providerState && { providerState }) }]));
  }
}

function summaryOf(text: string): SummaryText {
  return { type: "summary_text", text };
}

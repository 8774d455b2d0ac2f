import { joinStates } from "../../chat/stream/fold.ts";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import type { BlockOutput, PartWriter } from "./block-output.ts";
import { carrierBlock, carry } from "./carried.ts";
import { toWireCitation } from "./citations.ts";
import { hasForeignState, type IsClaude, textOfState } from "./claude.ts";
import { CallWriter, ResultWriter } from "./tool-writers.ts";

/** Makes the writer of the part that begins with a delta. */
export function createWriter({ delta }: PartDelta, output: BlockOutput, isClaude: IsClaude): PartWriter {
  switch (delta.case) {
    case "text":
    case "refusal":
    case "citation":
      return new TextWriter(output, isClaude);
    case "reasoning":
      return new ThinkingWriter(output, isClaude);
    case "toolCall":
    case "serverToolCall":
      return new CallWriter(output, isClaude);
    case "serverToolResult":
      return new ResultWriter(output, isClaude);
    case "media":
    case undefined:
      // This API has no blocks for media of a model; kit/left-out.ts warns.
      return { add() {}, canEnd: () => true, end() {} };
    default:
      return delta satisfies never;
  }
}

/** Writes text, with its citations. This API has no block for a refusal: it is text, and a block after it says so. */
export class TextWriter implements PartWriter {
  readonly #output: BlockOutput;
  readonly #isClaude: IsClaude;
  readonly #states: ProviderState[] = [];
  readonly #citations: Citation[] = [];
  #isRefusal = false;
  #isOpen = false;

  constructor(output: BlockOutput, isClaude: IsClaude) {
    this.#output = output;
    this.#isClaude = isClaude;
  }

  add({ delta, providerState }: PartDelta): void {
    if (providerState !== undefined) this.#states.push(providerState);
    this.#isRefusal ||= delta.case === "refusal";
    if (delta.case === "citation") this.cite(delta.value);
    else if ((delta.case === "text" || delta.case === "refusal") && delta.value !== "") {
      this.#open();
      this.#output.delta({ type: "text_delta", text: delta.value });
    }
  }

  cite(value: Citation): void {
    this.#citations.push(value);
    const citation = toWireCitation(value, this.#isClaude);
    if (citation === undefined) return;
    this.#open();
    this.#output.delta({ type: "citations_delta", citation });
  }

  canEnd(): boolean {
    return true;
  }

  end(): void {
    const state = joinStates(this.#states);
    const citations = this.#citations.some((one) => hasForeignState(one, this.#isClaude)) ? this.#citations : [];
    const kind = { case: this.#isRefusal ? "refusal" : "text", value: "" } as const;
    const rest = { ...(state && { providerState: state }), citations, kind };
    const isCarried = state !== undefined || citations.length > 0 || this.#isRefusal;
    if (this.#isOpen) this.#output.stop();
    if (isCarried) this.#output.whole(carrierBlock(this.#isOpen ? "previous" : "part", rest));
  }

  #open(): void {
    if (!this.#isOpen) this.#output.start({ type: "text", text: "", citations: null });
    this.#isOpen = true;
  }
}

/** Writes reasoning: with text or a signature as `thinking`, else as `redacted_thinking`. */
class ThinkingWriter implements PartWriter {
  readonly #output: BlockOutput;
  readonly #isClaude: IsClaude;
  readonly #states: ProviderState[] = [];
  #isOpen = false;
  #isRedacted = false;

  constructor(output: BlockOutput, isClaude: IsClaude) {
    this.#output = output;
    this.#isClaude = isClaude;
  }

  add({ delta, providerState }: PartDelta): void {
    if (providerState !== undefined) this.#states.push(providerState);
    if (delta.case !== "reasoning") return;
    const { text, redacted } = delta.value;
    this.#isRedacted ||= redacted;
    if (text === "") return;
    this.#open();
    this.#output.delta({ type: "thinking_delta", thinking: text });
  }

  canEnd(): boolean {
    return true;
  }

  end(): void {
    const state = joinStates(this.#states);
    const claudes = state !== undefined && this.#isClaude(state.provider) ? textOfState(state) : undefined;
    if (this.#isRedacted && !this.#isOpen) {
      const kind = { case: "reasoning", value: { redacted: true } } as const;
      this.#output.whole(
        claudes === undefined
          ? carrierBlock("part", { kind, ...(state && { providerState: state }) })
          : { type: "redacted_thinking", data: claudes },
      );
      return;
    }
    if (state === undefined && !this.#isOpen) return;
    this.#open();
    // Some clients drop thinking without a signature, so that of a model without signatures has one, too.
    const signature = claudes ?? carry("own", state ? { providerState: state } : {});
    this.#output.delta({ type: "signature_delta", signature });
    this.#output.stop();
  }

  #open(): void {
    if (!this.#isOpen) this.#output.start({ type: "thinking", thinking: "", signature: "" });
    this.#isOpen = true;
  }
}

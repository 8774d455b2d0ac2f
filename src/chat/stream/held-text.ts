import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import type { ChatEvent } from "./events.ts";

/** Delta whose text continues that of the part's earlier deltas. */
export type Joinable = Exclude<PartDelta["delta"], { case: "citation" | undefined }>;

/** Part of a choice, and the other fields of a delta. */
type Place = Omit<PartDelta, "delta" | "logprobs">;

interface Held {
  readonly choiceIndex: number;
  readonly partIndex: number;
  readonly delta: Joinable;
  /** Half of a character, empty arguments, or nothing: the call has no arguments yet. */
  readonly text: string;
}

/** Maximum length of empty arguments that are held. */
const maxHeldLength = 64;

/** Arguments that say nothing. */
const noArguments = /^\s*(?:\{\s*\}|null)?\s*$/;

/**
 * Holds back the end of a part's text until its next delta, or the end of the choice: the first half of a character,
 * and empty arguments (`{}` or `null`), which some servers send before the real ones.
 */
export class HeldText {
  readonly #parts = new Map<string, Held>();

  get isEmpty(): boolean {
    return this.#parts.size === 0;
  }

  /** Returns a delta with the text to send now: the delta itself if that is its text. */
  add({ choiceIndex, partIndex }: Place, delta: Joinable): Joinable {
    const key = `${choiceIndex} ${partIndex}`;
    const held = this.#parts.get(key) ?? this.#otherHalf(choiceIndex, delta);
    const isNewCall = delta.case === "toolCall" && delta.value.id !== "";
    const isEmptyCall = isNewCall || (delta.case === "toolCall" && held !== undefined && isPlaceholder(held.text));
    const text = textOf(delta);
    const whole = held !== undefined && isReplaced(held.text, text) ? text : (held?.text ?? "") + text;
    const kept = isEmptyCall && isPlaceholder(whole) ? whole : firstHalf(whole);
    if (kept === "" && !(isEmptyCall && whole === "")) this.#parts.delete(key);
    else this.#parts.set(key, { choiceIndex, partIndex, delta: withText(delta, ""), text: kept });
    const sent = whole.slice(0, whole.length - kept.length).toWellFormed();
    return sent === text ? delta : withText(delta, sent);
  }

  /**
   * Takes the first half of a character from the part before, if a delta begins with the second half: Gemini's signed
   * parts begin wherever the stream was cut.
   */
  #otherHalf(choice: number, delta: Joinable): Held | undefined {
    if ((delta.case !== "text" && delta.case !== "reasoning") || !beginsWithHalf(textOf(delta))) return undefined;
    for (const [key, held] of this.#parts) {
      if (held.choiceIndex !== choice || held.delta.case !== delta.case) continue;
      this.#parts.delete(key);
      return held;
    }
    return undefined;
  }

  /** Returns the deltas for everything that is held of a choice: a half without its other half becomes U+FFFD. */
  end(choice: number): readonly ChatEvent[] {
    const events: ChatEvent[] = [];
    for (const [key, { choiceIndex, partIndex, delta, text }] of this.#parts) {
      if (choiceIndex !== choice) continue;
      this.#parts.delete(key);
      if (text === "") continue;
      const value = { choiceIndex, partIndex, delta: withText(continued(delta), text.toWellFormed()) };
      events.push({ case: "delta", value: { $typeName: "dragoman.v1.PartDelta", ...value } });
    }
    return events;
  }
}

/** Whether arguments say nothing. A long text of blanks is not held. */
function isPlaceholder(text: string): boolean {
  return text.length <= maxHeldLength && noArguments.test(text);
}

/** Whether the arguments after empty ones begin again, as an object of their own. */
function isReplaced(held: string, text: string): boolean {
  return /^\s*[{n]/.test(held) && noArguments.test(held) && text.trimStart().startsWith("{");
}

/** Returns the last unit of a text if it is the first half of a surrogate pair, else "". */
function firstHalf(text: string): string {
  return /[\uD800-\uDBFF]$/.test(text) ? text.slice(-1) : "";
}

/** Whether a text begins with the second half of a surrogate pair. */
function beginsWithHalf(text: string): boolean {
  return /^[\uDC00-\uDFFF]/.test(text);
}

/** Returns a delta without the fields that only the first delta of a part has. */
function continued(delta: Joinable): Joinable {
  switch (delta.case) {
    case "text":
    case "refusal":
    case "reasoning":
      return delta;
    case "toolCall":
      return { case: "toolCall", value: { ...delta.value, id: "", name: "" } };
    case "serverToolCall":
      return { case: "serverToolCall", value: { ...delta.value, id: "", name: "" } };
    case "serverToolResult":
      return { case: "serverToolResult", value: { ...delta.value, toolCallId: "" } };
    case "media": {
      const source = { case: undefined };
      return { case: "media", value: { ...delta.value, source, mediaType: "", filename: "" } };
    }
    default:
      return delta satisfies never;
  }
}

/** Returns the text of a delta that continues in the next one. */
function textOf(delta: Joinable): string {
  switch (delta.case) {
    case "text":
    case "refusal":
      return delta.value;
    case "reasoning":
      return delta.value.text;
    case "toolCall":
      return delta.value.argumentsJson;
    case "serverToolCall":
      return delta.value.inputJson;
    case "serverToolResult":
      return delta.value.outputJson;
    case "media":
      return delta.value.transcript;
    default:
      return delta satisfies never;
  }
}

function withText(delta: Joinable, text: string): Joinable {
  switch (delta.case) {
    case "text":
    case "refusal":
      return { case: delta.case, value: text };
    case "reasoning":
      return { case: "reasoning", value: { ...delta.value, text } };
    case "toolCall":
      return { case: "toolCall", value: { ...delta.value, argumentsJson: text } };
    case "serverToolCall":
      return { case: "serverToolCall", value: { ...delta.value, inputJson: text } };
    case "serverToolResult":
      return { case: "serverToolResult", value: { ...delta.value, outputJson: text } };
    case "media":
      return { case: "media", value: { ...delta.value, transcript: text } };
    default:
      return delta satisfies never;
  }
}

import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { LogProbs, TokenLogProb } from "../../gen/dragoman/v1/logprobs_pb.js";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import { type ChatEvent, completed, finished, textDelta } from "./events.ts";
import { StopMatcher } from "./stop-matcher.ts";

/** Ends choices at stop sequences, for providers that do not support them. */
interface StopCutter {
  /** Returns the events of a batch without the text that is held back, or that follows a stop sequence. */
  cut(batch: readonly ChatEvent[]): readonly ChatEvent[];
  /** Whether every choice has ended at a stop sequence before the provider's response ended. */
  readonly needsNoMore: boolean;
  /** Indices of the choices with text that is held back. */
  readonly heldChoices: readonly number[];
}

/** Text of one choice in progress. */
interface ChoiceText {
  readonly matcher: StopMatcher;
  /** Index of the last text part. */
  part: number;
  /** Lengths of the text that arrived and of the text that was returned. */
  arrived: number;
  returned: number;
  /** Log probabilities of tokens that begin in text that was not returned yet. */
  tokens: { readonly start: number; readonly token: TokenLogProb }[];
  isCut: boolean;
}

/** @param count number of choices of the response */
export function createStopCutter(stops: readonly string[], count: number): StopCutter {
  const choices = new Map<number, ChoiceText>();
  let ended = 0;
  let needsNoMore = false;

  function choiceAt(index: number): ChoiceText {
    let choice = choices.get(index);
    if (choice === undefined) {
      choice = { matcher: new StopMatcher(stops), part: 0, arrived: 0, returned: 0, tokens: [], isCut: false };
      choices.set(index, choice);
    }
    return choice;
  }

  function text(delta: PartDelta, value: string, batch: ChatEvent[]): void {
    const choice = choiceAt(delta.choiceIndex);
    if (choice.isCut) return;
    if (delta.partIndex !== choice.part) flush(delta.choiceIndex, choice, batch);
    choice.part = delta.partIndex;
    let start = choice.arrived;
    for (const token of delta.logprobs?.tokens ?? []) {
      choice.tokens.push({ start, token });
      start += token.token.length;
    }
    choice.arrived += value.length;
    const { text: shown, stop } = choice.matcher.push(value);
    const logprobs = tokensOf(choice, shown);
    if (shown !== "" || delta.providerState !== undefined) {
      const { logprobs: _, ...rest } = delta;
      const value: PartDelta = { ...rest, delta: { case: "text", value: shown }, ...(logprobs && { logprobs }) };
      batch.push({ case: "delta", value });
    }
    if (stop === undefined) return;
    choice.isCut = true;
    ended++;
    batch.push(finished(delta.choiceIndex, FinishReason.STOP, "", stop));
  }

  function flush(index: number, choice: ChoiceText, batch: ChatEvent[]): void {
    const held = choice.matcher.flush();
    if (held !== "") batch.push(textDelta(index, choice.part, held, tokensOf(choice, held)));
  }

  function other(event: Extract<ChatEvent, { case: "delta" | "finished" }>, batch: ChatEvent[]): void {
    const choice = choiceAt(event.value.choiceIndex);
    if (choice.isCut) return;
    // A citation belongs to the text around it. All other deltas and the end come after the text.
    const isCitation = event.case === "delta" && event.value.delta.case === "citation";
    if (!isCitation || choice.returned === 0) flush(event.value.choiceIndex, choice, batch);
    batch.push(event);
  }

  return {
    cut(batch) {
      const kept: ChatEvent[] = [];
      let isComplete = false;
      for (const event of batch) {
        if (event.case === "delta" && event.value.delta.case === "text")
          text(event.value, event.value.delta.value, kept);
        else if (event.case === "delta" || event.case === "finished") other(event, kept);
        else kept.push(event);
        if (event.case === "completed") isComplete = true;
      }
      if (ended >= count && !isComplete && !needsNoMore) {
        needsNoMore = true;
        kept.push(completed());
      }
      return kept;
    },
    get needsNoMore() {
      return needsNoMore;
    },
    get heldChoices() {
      return [...choices].flatMap(([index, { matcher }]) => (matcher.holdsText ? [index] : []));
    },
  };
}

/** Removes and returns the log probabilities of the tokens that begin in the text that is returned now. */
function tokensOf(choice: ChoiceText, shown: string): LogProbs | undefined {
  choice.returned += shown.length;
  const due = choice.tokens.filter(({ start }) => start < choice.returned);
  choice.tokens = choice.tokens.slice(due.length);
  const tokens = due.map(({ token }) => token);
  return tokens.length === 0 ? undefined : { $typeName: "dragoman.v1.LogProbs", tokens };
}

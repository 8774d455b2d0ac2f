import { GatewayError } from "../../errors.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import { deltaLength, deltaSize } from "./delta-size.ts";
import type { ChatEvent } from "./events.ts";

interface ChoiceState {
  /** The kind of each part, by part index. */
  readonly parts: PartDelta["delta"]["case"][];
  finished: boolean;
}

/** Validates the order of a stream's events: the stream law in the proto comment of `ChatService.StreamChat`. */
export interface StreamValidator {
  /** Throws if the event violates the stream law. */
  accept(event: ChatEvent): void;
  /** Throws if the stream ends before `completed`. */
  end(): void;
  /** Whether the event `started` came, that is, the provider accepted the request. */
  readonly accepted: boolean;
  /** Whether a delta (text, reasoning, refusal or tool call) came. If so, Dragoman must not retry the call. */
  readonly outputStarted: boolean;
  /** Number of characters of output so far, for estimating tokens. */
  readonly outputCharacters: number;
  /** Size of the output so far in bytes (delta-size.ts). */
  readonly outputSize: number;
}

export function createStreamValidator(): StreamValidator {
  const choices = new Map<number, ChoiceState>();
  let unfinished = 0;
  let phase: "new" | "started" | "completed" = "new";
  let outputStarted = false;
  let outputCharacters = 0;
  let outputSize = 0;

  function broken(what: string): GatewayError {
    return outputStarted
      ? new GatewayError("PROVIDER_STREAM_INTERRUPTED", `the provider's response is malformed: ${what}`)
      : new GatewayError("PROVIDER_FAULT", `the provider's response is malformed: ${what}`);
  }

  function acceptDelta(event: PartDelta): void {
    const { choiceIndex, partIndex, delta } = event;
    if (delta.case === undefined) throw broken("a delta without content");
    let choice = choices.get(choiceIndex);
    if (choice === undefined) {
      choice = beginChoice(choiceIndex);
    } else if (choice.finished) {
      throw broken("a delta after its choice finished");
    }
    const known = choice.parts[partIndex];
    if (known === undefined) {
      if (partIndex !== choice.parts.length) throw broken("a delta skips a part index");
      if (delta.case === "toolCall" && (delta.value.id === "" || delta.value.name === "")) {
        throw broken("a tool call begins without id or name");
      }
      choice.parts.push(delta.case);
    } else if (known !== delta.case) {
      throw broken("a part changes its kind");
    } else if (delta.case === "toolCall" && (delta.value.id !== "" || delta.value.name !== "")) {
      throw broken("a tool call repeats its id or name");
    }
    outputStarted = true;
    const length = deltaLength(delta);
    outputCharacters += length;
    outputSize += deltaSize(event, length);
  }

  function beginChoice(index: number): ChoiceState {
    const choice: ChoiceState = { parts: [], finished: false };
    choices.set(index, choice);
    unfinished++;
    return choice;
  }

  return {
    accept(event) {
      if (phase === "completed") throw broken("an event came after the event completed");
      if (event.case === "started") {
        if (phase !== "new") throw broken("the event started came twice");
        phase = "started";
        return;
      }
      if (phase === "new") throw broken("an event came before the event started");
      switch (event.case) {
        case "delta":
          acceptDelta(event.value);
          return;
        case "finished": {
          const choice = choices.get(event.value.choiceIndex) ?? beginChoice(event.value.choiceIndex);
          if (choice.finished) throw broken("a choice finished twice");
          if (event.value.finishReason === FinishReason.UNSPECIFIED) throw broken("a choice finished without a reason");
          choice.finished = true;
          unfinished--;
          return;
        }
        case "completed":
          if (choices.size === 0) throw broken("it has no choices");
          if (unfinished > 0) throw broken("the event completed came before every choice finished");
          phase = "completed";
          return;
        default:
          event satisfies never;
      }
    },
    end() {
      if (phase !== "completed") {
        throw new GatewayError("PROVIDER_STREAM_INTERRUPTED", "the provider's response ended before it was complete");
      }
    },
    get accepted() {
      return phase !== "new";
    },
    get outputStarted() {
      return outputStarted;
    },
    get outputCharacters() {
      return outputCharacters;
    },
    get outputSize() {
      return outputSize;
    },
  };
}

import { create, type DescMessage } from "@bufbuild/protobuf";
import { type FieldViolation, GatewayError } from "../../errors.ts";
import { formatPath } from "../../field-path.ts";
import { CitationSchema } from "../../gen/dragoman/v1/citation_pb.js";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { type Part, PartSchema } from "../../gen/dragoman/v1/message_pb.js";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import { firstViolation, needsRules } from "../validation/annotations.ts";
import { deltaLength, deltaSize, finishedSize } from "./delta-size.ts";
import type { ChatEvent } from "./events.ts";

type Fragment = Exclude<PartDelta["delta"], { case: "citation" | undefined }>;

/** Kind of a part. `mediaReference`: media whose first delta has a URL or the provider's id of a file. */
export type PartKind = Fragment["case"] | "mediaReference";

interface ChoiceState {
  /** The kind of each part, by part index. */
  readonly parts: PartKind[];
  finished: boolean;
}

/** Validates the order of a stream's events: the stream law in the proto comment of `ChatService.StreamChat`. */
export interface StreamValidator {
  /** Message whose rules `loadRules` must load before `accept` takes this event. Undefined: none. */
  missingRules(event: ChatEvent): DescMessage | undefined;
  /** Throws if the event violates the stream law. */
  accept(event: ChatEvent): void;
  /** Throws if the stream ends before `completed`. */
  end(): void;
  /** Whether the event `started` came, that is, the provider accepted the request. */
  readonly accepted: boolean;
  /** Whether a delta came. If so, Dragoman must not retry the call. */
  readonly outputStarted: boolean;
  /**
   * Returns the indices of the choices that have no `finished` yet; the first choice if none has begun.
   *
   * @param held choices that have begun, but whose text so far is held back
   */
  openChoices(held: readonly number[]): ReadonlySet<number>;
  /** Returns the kinds of the parts of a choice so far. */
  kindsOf(choiceIndex: number): readonly PartKind[];
  /** Number of characters of output so far, for estimating tokens. */
  readonly outputCharacters: number;
  /** Size of the output so far in bytes (delta-size.ts). */
  readonly outputSize: number;
}

export function createStreamValidator(): StreamValidator {
  return new Validator();
}

// A class, because an object with getters takes several microseconds to create.
class Validator implements StreamValidator {
  readonly #choices = new Map<number, ChoiceState>();
  #unfinished = 0;
  #phase: "new" | "started" | "completed" = "new";
  outputStarted = false;
  outputCharacters = 0;
  outputSize = 0;

  missingRules(event: ChatEvent): DescMessage | undefined {
    if (event.case !== "delta" || isUnbounded(event.value)) return undefined;
    const { choiceIndex, partIndex, delta } = event.value;
    if (delta.case === "citation") return needsRules(CitationSchema, delta.value) ? CitationSchema : undefined;
    if (this.#choices.get(choiceIndex)?.parts[partIndex] !== undefined) return undefined;
    return needsRules(PartSchema, partOf(event.value)) ? PartSchema : undefined;
  }

  accept(event: ChatEvent): void {
    if (this.#phase === "completed") throw this.#broken("an event came after the event completed");
    if (event.case === "started") {
      if (this.#phase !== "new") throw this.#broken("the event started came twice");
      this.#phase = "started";
      return;
    }
    if (this.#phase === "new") throw this.#broken("an event came before the event started");
    switch (event.case) {
      case "delta":
        this.#acceptDelta(event.value);
        return;
      case "finished": {
        const choice = this.#choices.get(event.value.choiceIndex) ?? this.#beginChoice(event.value.choiceIndex);
        if (choice.finished) throw this.#broken("a choice finished twice");
        if (event.value.finishReason === FinishReason.UNSPECIFIED) {
          throw this.#broken("a choice finished without a reason");
        }
        choice.finished = true;
        this.outputSize += finishedSize(event.value);
        this.#unfinished--;
        return;
      }
      case "completed":
        if (this.#choices.size === 0) throw this.#broken("it has no choices");
        if (this.#unfinished > 0) throw this.#broken("the event completed came before every choice finished");
        this.#phase = "completed";
        return;
      default:
        event satisfies never;
    }
  }

  end(): void {
    if (this.#phase !== "completed") {
      throw new GatewayError("PROVIDER_STREAM_INTERRUPTED", "the provider's response ended before it was complete");
    }
  }

  openChoices(held: readonly number[]): ReadonlySet<number> {
    const open = [...this.#choices].flatMap(([index, { finished }]) => (finished ? [] : [index]));
    return new Set(this.#choices.size + held.length === 0 ? [0] : [...open, ...held]);
  }

  kindsOf(choiceIndex: number): readonly PartKind[] {
    return this.#choices.get(choiceIndex)?.parts ?? [];
  }

  get accepted(): boolean {
    return this.#phase !== "new";
  }

  #broken(what: string): GatewayError {
    return this.outputStarted
      ? new GatewayError("PROVIDER_STREAM_INTERRUPTED", `the provider's response is malformed: ${what}`)
      : new GatewayError("PROVIDER_FAULT", `the provider's response is malformed: ${what}`);
  }

  #acceptDelta(event: PartDelta): void {
    const { choiceIndex, partIndex, delta } = event;
    if (delta.case === undefined) throw this.#broken("a delta without content");
    let choice = this.#choices.get(choiceIndex);
    if (choice === undefined) {
      choice = this.#beginChoice(choiceIndex);
    } else if (choice.finished) {
      throw this.#broken("a delta after its choice finished");
    }
    const known = choice.parts[partIndex];
    if (delta.case === "citation") {
      if (known === undefined) throw this.#broken("a citation comes before its part");
      const violation = firstViolation(CitationSchema, delta.value);
      if (violation !== undefined) throw this.#broken(textOf("citation", violation));
    } else if (known === undefined) {
      if (partIndex !== choice.parts.length) throw this.#broken("a delta skips a part index");
      const problem = problemOfFirst(delta) ?? violationOfFirst(event);
      if (problem !== undefined) throw this.#broken(problem);
      choice.parts.push(delta.case === "media" && isReference(delta.value.source) ? "mediaReference" : delta.case);
    } else {
      const problem = problemOfLater(known, delta);
      if (problem !== undefined) throw this.#broken(problem);
    }
    this.outputStarted = true;
    const length = deltaLength(delta);
    this.outputCharacters += length;
    this.outputSize += deltaSize(event, length);
  }

  #beginChoice(index: number): ChoiceState {
    const choice: ChoiceState = { parts: [], finished: false };
    this.#choices.set(index, choice);
    this.#unfinished++;
    return choice;
  }
}

/** Returns what is wrong with the first delta of a part, or undefined. */
function problemOfFirst(delta: Fragment): string | undefined {
  if (delta.case === "toolCall" && (delta.value.id === "" || delta.value.name === "")) {
    return "a tool call begins without id or name";
  }
  if (delta.case === "media" && delta.value.mediaType === "" && !isReference(delta.value.source)) {
    return "media begin without a media type";
  }
  return undefined;
}

/**
 * Returns the annotation that a new part violates, or undefined. Dragoman returns no part that it would reject in the
 * next request.
 */
function violationOfFirst(event: PartDelta): string | undefined {
  const violation = isUnbounded(event) ? undefined : firstViolation(PartSchema, partOf(event));
  return violation && textOf("part", violation);
}

/** Whether a delta is a text, which has no bounds. Most deltas are. */
function isUnbounded({ delta, providerState }: PartDelta): boolean {
  return providerState === undefined && typeof delta.value === "string";
}

/** Returns the part that a first delta begins. */
function partOf({ delta, providerState }: PartDelta): Part {
  const part = create(PartSchema, { ...(providerState && { providerState }) });
  if (delta.case !== undefined && delta.case !== "citation") part.kind = delta;
  return part;
}

function textOf(what: string, { field, description }: FieldViolation): string {
  return `${formatPath([what, ...field])} ${description}`;
}

/** Returns what is wrong with a later delta of a part, or undefined. */
function problemOfLater(known: PartKind, delta: Fragment): string | undefined {
  if (known !== delta.case && !(known === "mediaReference" && delta.case === "media")) return "a part changes its kind";
  switch (delta.case) {
    case "text":
    case "refusal":
    case "reasoning":
      return undefined;
    case "toolCall":
    case "serverToolCall":
      return delta.value.id !== "" || delta.value.name !== "" ? "a tool call repeats its id or name" : undefined;
    case "serverToolResult":
      return delta.value.toolCallId !== "" ? "a tool result repeats the id of its call" : undefined;
    case "media": {
      const { mediaType, filename, source } = delta.value;
      if (mediaType !== "" || filename !== "") return "media repeat their type or file name";
      const isMixed = isReference(source) || (known === "mediaReference" && source.case !== undefined);
      return isMixed ? "media have data and a reference, or two references" : undefined;
    }
    default:
      return delta satisfies never;
  }
}

function isReference({ case: kind }: Media["source"]): boolean {
  return kind === "url" || kind === "fileId";
}

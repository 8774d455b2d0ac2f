import { randomUUID } from "node:crypto";
import { type ChatEvent, toolCallDelta } from "../../chat/stream/events.ts";
import { malformedAnswer } from "../../upstream/errors.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import type { ChunkMessage, ChunkToolCall } from "./wire.ts";

interface CallFields {
  readonly tool_calls?: readonly ChunkToolCall[] | null | undefined;
  readonly function_call?: ChunkMessage["function_call"];
}

interface Call {
  readonly partIndex: number;
  readonly id: string;
  readonly index: number | undefined;
  name: string;
  argumentsJson: string;
  /** How often `isComplete` has parsed the arguments. */
  parsedLength: number;
}

/** Maximum length of the arguments that Dragoman holds while the name of their call is unknown. */
const maxUnnamedLength = 1024 * 1024;

/** Maximum characters to parse for one call, in all checks of its arguments together. 2 million take up to 100 ms. */
const maxParsedLength = 2_000_000;

/** Index of the deprecated `function_call`, the only call of its message. */
const functionCallIndex = -1;

/**
 * Assembles the tool calls of one choice. A delta belongs to the call with the same id; without an id, to the call with
 * the same index; without both, to the latest call. A new id with a name begins a new call even if another call has its
 * index. So does a known id with a new index and a name: some models give two calls the same id.
 */
export class ToolCalls {
  readonly #call: UpstreamCall;
  readonly #choiceIndex: number;
  readonly #newPart: () => number;
  readonly #calls: Call[] = [];
  readonly #byId = new Map<string, Call>();
  readonly #byIndex = new Map<number, Call>();

  /** `newPart` returns the next free part index. */
  constructor(call: UpstreamCall, choiceIndex: number, newPart: () => number) {
    this.#call = call;
    this.#choiceIndex = choiceIndex;
    this.#newPart = newPart;
  }

  get count(): number {
    return this.#calls.length;
  }

  /**
   * Appends the events for the calls of a message to a batch. `isWhole`: the message is complete, so each entry of the
   * list is a call of its own. Some servers set no index there, or the same one.
   */
  append({ tool_calls, function_call }: CallFields, isWhole: boolean, batch: ChatEvent[]): void {
    for (const [place, fragment] of (tool_calls ?? []).entries()) {
      const event = this.#toEvent(isWhole ? { ...fragment, index: place } : fragment);
      if (event !== undefined) batch.push(event);
    }
    // A server that sends both fields repeats the same call.
    if (!function_call || (this.#calls.length > 0 && !this.#byIndex.has(functionCallIndex))) return;
    const event = this.#toEvent({ index: functionCallIndex, function: function_call });
    if (event !== undefined) batch.push(event);
  }

  /** Converts a delta to an event. Returns undefined until the call's name is known: the first event must have it. */
  #toEvent(fragment: ChunkToolCall): ChatEvent | undefined {
    const call = this.#find(fragment) ?? this.#begin(fragment);
    const isKnown = call.name !== "";
    const text = argumentsText(fragment);
    call.argumentsJson += text;
    if (isKnown) return text === "" ? undefined : toolCallDelta(this.#choiceIndex, call.partIndex, text);
    call.name = fragment.function?.name ?? "";
    if (call.name === "" && call.argumentsJson.length > maxUnnamedLength) {
      throw malformedAnswer(this.#call, "a tool call has arguments but no name");
    }
    return call.name === ""
      ? undefined
      : toolCallDelta(this.#choiceIndex, call.partIndex, call.argumentsJson, call.id, call.name);
  }

  /** Returns the final events: arguments `{}` for calls that have none. Returns undefined if a call has no name. */
  end(): readonly ChatEvent[] | undefined {
    if (this.#calls.some(({ name }) => name === "")) return undefined;
    return this.#calls
      .filter(({ argumentsJson }) => argumentsJson === "")
      .map(({ partIndex }) => toolCallDelta(this.#choiceIndex, partIndex, "{}"));
  }

  #find(fragment: ChunkToolCall): Call | undefined {
    const { id, index, function: called } = fragment;
    const isIndexed = typeof index === "number";
    const ofIndex = isIndexed ? this.#byIndex.get(index) : undefined;
    if (id) {
      const ofId = ofIndex?.id === id ? ofIndex : this.#byId.get(id);
      if (ofId === undefined) {
        // Without a name, the id belongs to the call in progress: some servers send it late, or a new one in each delta.
        const open = isIndexed ? ofIndex : this.#calls.at(-1);
        return open === undefined || called?.name || isComplete(open) ? undefined : open;
      }
      if (beginsAnother(ofId, fragment)) return undefined;
      const isElsewhere = isIndexed && ofId.index !== undefined && ofId.index !== index;
      return isElsewhere && called?.name ? undefined : ofId;
    }
    if (isIndexed && (ofIndex !== undefined || called?.name)) {
      return ofIndex && beginsAnother(ofIndex, fragment) ? undefined : ofIndex;
    }
    const latest = this.#calls.at(-1);
    if (isIndexed && latest !== undefined && isOfAnother(latest, fragment)) return undefined;
    // A name without id and index begins a new call if the latest call is complete; else it repeats that call's name.
    const isNext = called?.name && latest !== undefined && latest.name !== "" && isComplete(latest);
    return isNext ? undefined : latest;
  }

  #begin({ id, index }: ChunkToolCall): Call {
    const call = {
      partIndex: this.#newPart(),
      id: id || `call_${randomUUID().replaceAll("-", "")}`,
      index: index ?? undefined,
      name: "",
      argumentsJson: "",
      parsedLength: 0,
    };
    this.#calls.push(call);
    this.#byId.set(call.id, call);
    if (typeof index === "number") this.#byIndex.set(index, call);
    return call;
  }
}

/**
 * Whether a fragment begins another call, although it has the id or index of a call: it has a name, and that call is
 * complete. An empty object is not: some servers send it before the real arguments.
 */
function beginsAnother(call: Call, fragment: ChunkToolCall): boolean {
  const name = fragment.function?.name;
  if (!name || call.name === "" || !isComplete(call)) return false;
  return name !== call.name || (call.argumentsJson !== "{}" && argumentsText(fragment).startsWith("{"));
}

/**
 * Whether arguments under an unknown index, without a name, are of a call that did not begin: the latest call is
 * complete. An incomplete call may continue under another index, because some servers count fragments.
 */
function isOfAnother(latest: Call, fragment: ChunkToolCall): boolean {
  const hasText = argumentsText(fragment).trim() !== "";
  return hasText && latest.name !== "" && latest.argumentsJson !== "{}" && isComplete(latest);
}

function argumentsText({ function: called }: ChunkToolCall): string {
  return called?.arguments ?? "";
}

/** Whether the arguments of a call are complete JSON. False after `maxParsedLength`. */
function isComplete(call: Call): boolean {
  call.parsedLength += call.argumentsJson.length;
  if (call.parsedLength > maxParsedLength) return false;
  try {
    JSON.parse(call.argumentsJson);
    return true;
  } catch {
    return false;
  }
}

import { randomUUID } from "node:crypto";
import { type ChatEvent, toolCallDelta } from "../../chat/stream/events.ts";
import { malformedAnswer } from "../../upstream/errors.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { joinName, mayGoOn } from "./name-pieces.ts";
import type { ChunkMessage, ChunkToolCall } from "./wire.ts";

interface CallFields {
  readonly tool_calls?: readonly ChunkToolCall[] | null | undefined;
  readonly function_call?: ChunkMessage["function_call"];
}

interface Call {
  /** Undefined until the first event of the call. */
  partIndex: number | undefined;
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
  readonly #names: readonly string[];
  readonly #calls: Call[] = [];
  readonly #byId = new Map<string, Call>();
  readonly #byIndex = new Map<number, Call>();

  /**
   * @param newPart returns the next free part index
   * @param names names of the functions of the request
   */
  constructor(call: UpstreamCall, choiceIndex: number, newPart: () => number, names: readonly string[]) {
    this.#call = call;
    this.#choiceIndex = choiceIndex;
    this.#newPart = newPart;
    this.#names = names;
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
      this.#add(isWhole ? { ...fragment, index: place } : fragment, isWhole, batch);
    }
    // A server that sends both fields repeats the same call.
    if (!function_call || (this.#calls.length > 0 && !this.#byIndex.has(functionCallIndex))) return;
    this.#add({ index: functionCallIndex, function: function_call }, isWhole, batch);
  }

  /** Adds a delta. There is no event until the call's name is known: the first event must have it. */
  #add(fragment: ChunkToolCall, isWhole: boolean, batch: ChatEvent[]): void {
    const call = this.#find(fragment) ?? this.#begin(fragment, batch);
    const text = argumentsText(fragment);
    call.argumentsJson += text;
    if (call.partIndex !== undefined) {
      if (text !== "") batch.push(toolCallDelta(this.#choiceIndex, call.partIndex, text));
      return;
    }
    call.name = joinName(call.name, fragment.function?.name ?? "", this.#names);
    if (call.name === "" && call.argumentsJson.length > maxUnnamedLength) {
      throw malformedAnswer(this.#call, "a tool call has arguments but no name");
    }
    if (call.name === "") return;
    // The arguments begin after the whole name.
    if (call.argumentsJson === "" && !isWhole && mayGoOn(call.name, this.#names)) this.#call.hadHiddenOutput = true;
    else batch.push(this.#first(call));
  }

  /** Returns the first event of a call, with all arguments so far. */
  #first(call: Call): ChatEvent {
    call.partIndex = this.#newPart();
    return toolCallDelta(this.#choiceIndex, call.partIndex, call.argumentsJson, call.id, call.name);
  }

  /** Returns the final events: arguments `{}` for calls that have none. Returns undefined if a call has no name. */
  end(): readonly ChatEvent[] | undefined {
    if (this.#calls.some(({ name }) => name === "")) return undefined;
    const ends: ChatEvent[] = [];
    for (const call of this.#calls) {
      if (call.argumentsJson !== "") continue;
      call.argumentsJson = "{}";
      const { partIndex } = call;
      ends.push(partIndex === undefined ? this.#first(call) : toolCallDelta(this.#choiceIndex, partIndex, "{}"));
    }
    return ends;
  }

  #find(fragment: ChunkToolCall): Call | undefined {
    const { id, index, function: called } = fragment;
    const isIndexed = typeof index === "number";
    const ofIndex = isIndexed ? this.#byIndex.get(index) : undefined;
    if (id) {
      const ofId = ofIndex?.id === id ? ofIndex : this.#byId.get(id);
      if (ofId === undefined) {
        // Without a name, the id belongs to the call in progress: some servers send it late, or a new one in each
        // delta.
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

  #begin({ id, index }: ChunkToolCall, batch: ChatEvent[]): Call {
    for (const earlier of this.#calls) {
      if (earlier.partIndex === undefined && earlier.name !== "") batch.push(this.#first(earlier));
    }
    const call: Call = {
      partIndex: undefined,
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

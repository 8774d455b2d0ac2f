import { randomUUID } from "node:crypto";
import { type ChatEvent, toolCallDelta } from "../../chat/stream/events.ts";
import type { ChunkToolCall } from "./wire.ts";

interface Call {
  readonly partIndex: number;
  readonly id: string;
  name: string;
  argumentsJson: string;
}

/**
 * The tool calls of one choice. Servers differ in what they leave out, so a fragment is matched by its id, else by its
 * index, else it continues the latest call. A new id is a new call even where its index was used before.
 */
export class ToolCalls {
  readonly #choiceIndex: number;
  readonly #newPart: () => number;
  readonly #calls: Call[] = [];
  readonly #byId = new Map<string, Call>();
  readonly #byIndex = new Map<number, Call>();

  /** `newPart` gives the next free part index. */
  constructor(choiceIndex: number, newPart: () => number) {
    this.#choiceIndex = choiceIndex;
    this.#newPart = newPart;
  }

  get count(): number {
    return this.#calls.length;
  }

  /** The event for a fragment. None while the call's name is not known, since the first event must have it. */
  toEvent(fragment: ChunkToolCall): ChatEvent | undefined {
    const call = this.#find(fragment) ?? this.#begin(fragment);
    const isKnown = call.name !== "";
    const text = argumentsText(fragment);
    call.argumentsJson += text;
    if (isKnown) return text === "" ? undefined : toolCallDelta(this.#choiceIndex, call.partIndex, text);
    call.name = fragment.function?.name ?? "";
    return call.name === ""
      ? undefined
      : toolCallDelta(this.#choiceIndex, call.partIndex, call.argumentsJson, call.id, call.name);
  }

  /** What is missing at the end: `{}` for calls without arguments. Undefined when a call never got a name. */
  end(): readonly ChatEvent[] | undefined {
    if (this.#calls.some(({ name }) => name === "")) return undefined;
    return this.#calls
      .filter(({ argumentsJson }) => argumentsJson === "")
      .map(({ partIndex }) => toolCallDelta(this.#choiceIndex, partIndex, "{}"));
  }

  #find({ id, index, function: called }: ChunkToolCall): Call | undefined {
    if (id) return this.#byId.get(id);
    if (typeof index === "number") {
      const known = this.#byIndex.get(index);
      if (known !== undefined || called?.name) return known;
    }
    const latest = this.#calls.at(-1);
    // Without id and index a name may be a repeated one or begin a second call: it does when the first one is whole.
    const isNext = called?.name && latest !== undefined && latest.name !== "" && isJson(latest.argumentsJson);
    return isNext ? undefined : latest;
  }

  #begin({ id, index }: ChunkToolCall): Call {
    const call = {
      partIndex: this.#newPart(),
      id: id || `call_${randomUUID().replaceAll("-", "")}`,
      name: "",
      argumentsJson: "",
    };
    this.#calls.push(call);
    this.#byId.set(call.id, call);
    if (typeof index === "number") this.#byIndex.set(index, call);
    return call;
  }
}

function argumentsText({ function: called }: ChunkToolCall): string {
  const value = called?.arguments ?? "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

import { hash } from "node:crypto";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import type { Joinable } from "./held-text.ts";

/** Maximum lengths of ids and names of tool calls in the contract. */
const maxIdLength = 8192;
const maxNameLength = 128;

/** Space for the end that makes an id different. */
const endLength = 17;

/** Keeps the ids and names of one response's tool calls within the contract. */
export class CallNames {
  readonly #warn: (message: string) => void;
  /** Ids of the calls of each choice. */
  readonly #ids = new Map<number, Set<string>>();

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /** Returns a delta with ids and names as the caller gets them. Only the first delta of a part has any. */
  add({ choiceIndex, partIndex }: Pick<PartDelta, "choiceIndex" | "partIndex">, delta: Joinable): Joinable {
    const place = `choice ${choiceIndex}, part ${partIndex}`;
    switch (delta.case) {
      case "toolCall": {
        if (delta.value.id === "") return delta;
        const id = this.#unique(choiceIndex, this.#shortId(delta.value.id, place), place);
        return { case: "toolCall", value: { ...delta.value, id, name: this.#shortName(delta.value.name, place) } };
      }
      case "serverToolCall": {
        const id = this.#shortId(delta.value.id, place);
        return {
          case: "serverToolCall",
          value: { ...delta.value, id, name: this.#shortName(delta.value.name, place) },
        };
      }
      case "serverToolResult": {
        const toolCallId = this.#shortId(delta.value.toolCallId, place);
        return { case: "serverToolResult", value: { ...delta.value, toolCallId } };
      }
      case "text":
      case "refusal":
      case "reasoning":
      case "media":
        return delta;
      default:
        return delta satisfies never;
    }
  }

  #unique(choice: number, id: string, place: string): string {
    const ids = this.#ids.get(choice) ?? new Set<string>();
    this.#ids.set(choice, ids);
    let unique = id;
    for (let count = 2; ids.has(unique); count++) unique = `${id.slice(0, maxIdLength - endLength)}_${count}`;
    ids.add(unique);
    if (unique !== id) this.#warn(`${place}: the provider used the id of an earlier tool call again; it has a new id`);
    return unique;
  }

  /** Shortens an id. A call and its result still have the same id. */
  #shortId(id: string, place: string): string {
    if (id.length <= maxIdLength) return id.toWellFormed();
    this.#warn(`${place}: the id of the tool call has more than ${maxIdLength} characters; it has a new id`);
    return `${id.slice(0, maxIdLength - endLength).toWellFormed()}_${hash("sha256", id).slice(0, endLength - 1)}`;
  }

  #shortName(name: string, place: string): string {
    if (name.length <= maxNameLength) return name.toWellFormed();
    this.#warn(`${place}: the name of the tool has more than ${maxNameLength} characters; it is cut`);
    return name.slice(0, maxNameLength).toWellFormed();
  }
}

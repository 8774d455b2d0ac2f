import { joinStates } from "../../chat/stream/fold.ts";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import type { PartInit } from "./opaque.ts";

type Delta = PartDelta["delta"];

/** Parts that no item shows, which the client sends back in a reasoning item. */
export class HiddenParts {
  readonly #parts = new Map<number, PartDelta[]>();

  add(delta: PartDelta): void {
    const deltas = this.#parts.get(delta.partIndex) ?? [];
    deltas.push(withoutBytes(delta));
    this.#parts.set(delta.partIndex, deltas);
  }

  has(part: number): boolean {
    return this.#parts.has(part);
  }

  /** Returns the parts that a later request needs: audio only with its state, its transcript or its address. */
  get parts(): readonly PartInit[] {
    return [...this.#parts.values()].flatMap((deltas) => {
      const kind = kindOf(deltas);
      const providerState = joinStates(deltas.flatMap((delta) => delta.providerState ?? []));
      const isEmpty = kind?.case === "media" && kind.value.source === undefined && !kind.value.transcript;
      if (kind === undefined || (isEmpty && providerState === undefined)) return [];
      return [{ kind, ...(providerState && { providerState }) }];
    });
  }
}

/** Removes the bytes of media: they can be large, and providers take audio back by its id. */
function withoutBytes(part: PartDelta): PartDelta {
  const { delta } = part;
  if (delta.case !== "media" || delta.value.source.case !== "data") return part;
  return { ...part, delta: { case: "media", value: { ...delta.value, source: { case: undefined } } } };
}

/** Joins the deltas of a part. */
function kindOf(deltas: readonly PartDelta[]): PartInit["kind"] {
  const first = deltas[0]?.delta;
  switch (first?.case) {
    case "text":
    case "refusal":
      return { case: first.case, value: "" };
    case "serverToolCall": {
      const inputJson = joined(deltas, (delta) => (delta.case === "serverToolCall" ? delta.value.inputJson : ""));
      return { case: "serverToolCall", value: { ...first.value, inputJson } };
    }
    case "serverToolResult": {
      const outputJson = joined(deltas, (delta) => (delta.case === "serverToolResult" ? delta.value.outputJson : ""));
      const isError = deltas.some(({ delta }) => delta.case === "serverToolResult" && delta.value.isError);
      return { case: "serverToolResult", value: { ...first.value, outputJson, isError } };
    }
    case "media": {
      const { mediaType, filename, source } = first.value;
      const transcript = joined(deltas, (delta) => (delta.case === "media" ? delta.value.transcript : ""));
      const address = source.case === undefined ? {} : { source };
      return { case: "media", value: { mediaType, filename, transcript, ...address } };
    }
    default:
      return undefined;
  }
}

function joined(deltas: readonly PartDelta[], textOf: (delta: Delta) => string): string {
  return deltas.map(({ delta }) => textOf(delta)).join("");
}

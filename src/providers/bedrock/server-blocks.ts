import { type DeltaEvent, serverToolCallDelta, serverToolResultDelta } from "../../chat/stream/events.ts";
import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { ExactJson } from "../kit/exact-json.ts";
import { membersOf, objectOf } from "../kit/json-text.ts";
import { jsonOfState, stateOf } from "../kit/provider-state.ts";

// Calls and results of tools that Bedrock runs, such as `nova_grounding`. Fields that the contract has no field for,
// such as `type`, are in the provider state.

const callFields: ReadonlySet<string> = new Set(["toolUseId", "name", "input"]);
const resultFields: ReadonlySet<string> = new Set(["toolUseId", "content"]);

/** @param start `start.toolUse` as Bedrock sent it */
export function serverCall(partIndex: number, start: string, call: UpstreamCall): DeltaEvent {
  const members = membersOf(start);
  const event = serverToolCallDelta(0, partIndex, "", textIn(members, "toolUseId"), textIn(members, "name"));
  event.value.providerState = stateWithout(callFields, members, call);
  return event;
}

/** @param start `start.toolResult` as Bedrock sent it */
export function serverResult(partIndex: number, start: string, call: UpstreamCall): DeltaEvent {
  const members = membersOf(start);
  const isError = textIn(members, "status") === "error";
  const event = serverToolResultDelta(0, partIndex, "", textIn(members, "toolUseId"), isError);
  event.value.providerState = stateWithout(resultFields, members, call);
  return event;
}

function stateWithout(fields: ReadonlySet<string>, members: ReadonlyMap<string, string>, call: UpstreamCall) {
  return stateOf(call, Buffer.from(objectOf([...members].filter(([name]) => !fields.has(name)))));
}

function textIn(members: ReadonlyMap<string, string>, name: string): string {
  const value: unknown = JSON.parse(members.get(name) ?? '""');
  return typeof value === "string" ? value : "";
}

/** Writes the content of a result as the JSON text of a list, as it arrives. Deltas of text continue one item. */
export class ContentList {
  #last: "none" | "text" | "other" = "none";

  /** Returns the text to append for an item of a delta, given as JSON text. */
  add(item: string): string {
    const members = membersOf(item);
    const text = members.size === 1 ? members.get("text") : undefined;
    const isText = text?.startsWith('"') ?? false;
    const piece = isText ? (text ?? "").slice(1, -1) : item;
    if (isText && this.#last === "text") return piece;
    const before = this.#last === "none" ? "[" : `${this.#closed()},`;
    this.#last = isText ? "text" : "other";
    return before + (isText ? `{"text":"${piece}` : piece);
  }

  /** Returns the text that ends the list. */
  end(): string {
    return this.#last === "none" ? "[]" : `${this.#closed()}]`;
  }

  #closed(): string {
    return this.#last === "text" ? '"}' : "";
  }
}

/** Whether a part is a call or a result of a tool that Bedrock runs. */
export function isServerPart({ kind }: Part): boolean {
  return kind.case === "serverToolCall" || kind.case === "serverToolResult";
}

/** Returns a call or a result as Bedrock sent it. Undefined if the part has no state of Bedrock. */
export function toServerBlock({ kind, providerState }: Part): ExactJson | undefined {
  const state = jsonOfState(providerState);
  if (state === undefined) return undefined;
  if (kind.case === "serverToolCall") {
    const { id, name, inputJson } = kind.value;
    const own = { toolUseId: JSON.stringify(id), name: JSON.stringify(name), input: inputJson || "{}" };
    return blockOf("toolUse", state, own);
  }
  if (kind.case !== "serverToolResult") return undefined;
  const { toolCallId, outputJson } = kind.value;
  return blockOf("toolResult", state, { toolUseId: JSON.stringify(toolCallId), content: outputJson || "[]" });
}

function blockOf(name: string, state: string, own: Readonly<Record<string, string>>): ExactJson {
  return new ExactJson(objectOf([[name, objectOf(new Map([...membersOf(state), ...Object.entries(own)]))]]));
}

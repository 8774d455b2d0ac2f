import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import { ExactJson } from "../kit/exact-json.ts";
import { memberAt, membersOf, objectOf } from "../kit/json-text.ts";
import { jsonOfState, stateObject } from "../kit/provider-state.ts";
import { callerCallOf } from "./caller-calls.ts";

// Items of earlier responses, from the provider state of their parts. The state of most items is the item itself, as
// the API or a caller of /v1/responses sent it.

/** Returns the type of the item in a provider state; empty if there is none that may be sent. */
export function stateType({ providerState }: Pick<Part, "providerState">): string {
  const type = stateObject(providerState)?.type;
  return typeof type === "string" && type !== reference ? type : "";
}

/** A reference to a stored item. No response has one, and a caller could name an item of somebody else. */
const reference = "item_reference";

/**
 * Returns the item of reasoning. Undefined: the API would not accept it. Without the encrypted content, it accepts only
 * the items that it has stored.
 */
export function reasoningItem(part: Part, isStored: boolean): ExactJson | undefined {
  const state = stateObject(part.providerState);
  if (state?.type !== "reasoning" || (!isStored && !state.encrypted_content)) return undefined;
  return exact(part);
}

/** Returns the item of a tool that OpenAI ran. Undefined: it is part of another one, or there is no state. */
export function serverItem(part: Part): ExactJson | undefined {
  if (stateType(part) !== "") return exact(part);
  const { kind, providerState } = part;
  // Items that are no calls are whole results without a call.
  const isWhole = kind.case === "serverToolResult" && providerState !== undefined && kind.value.toolCallId === "";
  const type = isWhole ? memberAt(kind.value.outputJson, "type") : "";
  return isWhole && type !== "" && type !== JSON.stringify(reference)
    ? new ExactJson(kind.value.outputJson)
    : undefined;
}

/** Whether a part of a tool that OpenAI ran has nothing to send, because the item of its call has all of it. */
export function isInCall({ kind, providerState }: Part): boolean {
  return kind.case === "serverToolResult" && kind.value.toolCallId !== "" && providerState !== undefined;
}

/** Returns the item of a call. A call that is no function call has its item as state. */
export function callItem(part: Part): ExactJson | undefined {
  if (part.kind.case !== "toolCall") return undefined;
  const { id, name, argumentsJson } = part.kind.value;
  const type = stateType(part);
  const state = jsonOfState(part.providerState);
  const own = (fields: Readonly<Record<string, string>>) => {
    const texts = Object.entries(fields).map(([key, value]) => [key, JSON.stringify(value)] as const);
    return new ExactJson(objectOf(new Map([...membersOf(state ?? "{}"), ...texts])));
  };
  if (type === "custom_tool_call") return own({ type, call_id: id, name, input: argumentsJson });
  if (type === "mcp_approval_request") return own({ type, id });
  if (callerCallOf(type) !== undefined) return own({ type, call_id: id });
  return own({ type: "function_call", call_id: id, name, arguments: argumentsJson || "{}" });
}

/** Returns the item of an image that the model made. Undefined: the API did not make it. */
export function imageItem(part: Part): ExactJson | undefined {
  const { kind } = part;
  const state = jsonOfState(part.providerState);
  if (kind.case !== "media" || kind.value.source.case !== "data" || stateType(part) !== imageType) return undefined;
  const result = JSON.stringify(Buffer.from(kind.value.source.value).toString("base64"));
  return new ExactJson(objectOf(new Map([...membersOf(state ?? "{}"), ["result", result]])));
}

export const imageType = "image_generation_call";

function exact({ providerState }: Part): ExactJson | undefined {
  const json = jsonOfState(providerState);
  return json === undefined ? undefined : new ExactJson(json);
}

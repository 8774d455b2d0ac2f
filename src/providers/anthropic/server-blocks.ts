import { type DeltaEvent, serverToolCallDelta, serverToolResultDelta } from "../../chat/stream/events.ts";
import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { ExactJson } from "../kit/exact-json.ts";
import { membersOf, objectOf } from "../kit/json-text.ts";
import { jsonOfState, stateOf } from "../kit/provider-state.ts";
import { type Mark, markMembers } from "./cache-marks.ts";

// Blocks other than text, thinking and calls of the caller's tools: calls of Anthropic's tools (`server_tool_use`,
// `mcp_tool_use`), their results (`web_search_tool_result` and so on), and others, such as `compaction`. The API
// requires all of them back. Fields of a block that the contract has no field for are in the provider state.

/** Members of a block by name, each as its exact JSON text. */
type BlockMembers = ReadonlyMap<string, string>;

const callFields: ReadonlySet<string> = new Set(["id", "name", "input"]);
const resultFields: ReadonlySet<string> = new Set(["tool_use_id", "content"]);

export function isServerCall(type: string): boolean {
  return type.endsWith("_tool_use");
}

export function isServerResult(type: string): boolean {
  return type.endsWith("_tool_result");
}

/** Returns the first delta of a call of Anthropic's tools. Its input follows in further deltas. */
export function serverCall(partIndex: number, block: BlockMembers, call: UpstreamCall): DeltaEvent {
  const event = serverToolCallDelta(0, partIndex, "", textIn(block, "id"), textIn(block, "name"));
  event.value.providerState = stateWithout(callFields, block, call);
  return event;
}

/** Returns the delta of a result of Anthropic's tools. */
export function serverResult(partIndex: number, block: BlockMembers, call: UpstreamCall): DeltaEvent {
  const content = block.get("content") ?? "";
  const isError = block.get("is_error") === "true" || membersOf(content).has("error_code");
  const event = serverToolResultDelta(0, partIndex, content, textIn(block, "tool_use_id"), isError);
  event.value.providerState = stateWithout(resultFields, block, call);
  return event;
}

/** Returns the delta of a block that is no call and no result: the whole block, as a result without a call. */
export function otherBlock(partIndex: number, block: BlockMembers, call: UpstreamCall): DeltaEvent {
  const event = serverToolResultDelta(0, partIndex, objectOf(block));
  event.value.providerState = stateOf(call, Buffer.from("{}"));
  return event;
}

/** Returns the fields of a call of the caller's tools that must come back and have no field in the contract. */
export function callerState(block: BlockMembers, call: UpstreamCall): DeltaEvent["value"]["providerState"] {
  const rest = [...block].filter(
    ([name, text]) => name !== "type" && !callFields.has(name) && text !== "null" && !isDirect(name, text),
  );
  return rest.length === 0 ? undefined : stateOf(call, Buffer.from(objectOf(rest)));
}

/** Whether a field says that the model itself, and not code that it runs, made the call. This is the default. */
function isDirect(name: string, text: string): boolean {
  return name === "caller" && textIn(membersOf(text), "type") === "direct";
}

function stateWithout(fields: ReadonlySet<string>, block: BlockMembers, call: UpstreamCall) {
  return stateOf(call, Buffer.from(objectOf([...block].filter(([name]) => !fields.has(name)))));
}

function textIn(members: BlockMembers, name: string): string {
  const value: unknown = JSON.parse(members.get(name) ?? '""');
  return typeof value === "string" ? value : "";
}

/** Whether a part is a block of Anthropic's own tools. */
export function isServerPart({ kind }: Part): boolean {
  return kind.case === "serverToolCall" || kind.case === "serverToolResult";
}

/**
 * Returns a part as the block that the API sent. Undefined if the part has no state of Anthropic: the API would not
 * know what kind of block it is.
 */
export function toServerBlock(part: Part, mark: Mark): ExactJson | undefined {
  const state = jsonOfState(part.providerState);
  const own = state === undefined ? undefined : ownMembers(part.kind, membersOf(state).has("type"));
  if (state === undefined || own === undefined) return undefined;
  return new ExactJson(objectOf(new Map([...membersOf(state), ...own, ...markMembers(mark)])));
}

function ownMembers(kind: Part["kind"], hasType: boolean): Iterable<readonly [string, string]> | undefined {
  if (kind.case === "serverToolCall" && hasType) {
    const { id, name, inputJson } = kind.value;
    return [
      ["id", JSON.stringify(id)],
      ["name", JSON.stringify(name)],
      ["input", inputJson || "{}"],
    ];
  }
  if (kind.case !== "serverToolResult") return undefined;
  const { toolCallId, outputJson } = kind.value;
  if (!hasType) return membersOf(outputJson).has("type") ? membersOf(outputJson) : undefined;
  return [
    ...(toolCallId === "" ? [] : ([["tool_use_id", JSON.stringify(toolCallId)]] as const)),
    ...(outputJson === "" ? [] : ([["content", outputJson]] as const)),
  ];
}

import { type DeltaEvent, serverToolCallDelta, serverToolResultDelta } from "../../chat/stream/events.ts";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import { isFields } from "../kit/metadata.ts";
import { stateObject } from "../kit/provider-state.ts";
import type { WireServerPart } from "./wire.ts";

/** Kinds of parts for tools that Google runs, each with a function that returns its event. */
const kinds: Readonly<Record<string, (index: number, part: number, value: Fields) => DeltaEvent>> = {
  executableCode: (index, part, { id, ...input }) =>
    serverToolCallDelta(index, part, JSON.stringify(input), idOf(id), "code_execution"),
  codeExecutionResult: (index, part, { id, ...output }) =>
    serverToolResultDelta(index, part, JSON.stringify(output), idOf(id), output.outcome !== "OUTCOME_OK"),
  toolCall: (index, part, { id, toolType, args }) =>
    serverToolCallDelta(index, part, JSON.stringify(args ?? {}), idOf(id), String(toolType ?? "").slice(0, 128)),
  toolResponse: (index, part, { id, response }) =>
    serverToolResultDelta(index, part, JSON.stringify(response ?? {}), idOf(id)),
};

type Fields = Readonly<Record<string, unknown>>;

/** Maximum length of an id in the contract. */
const longestId = 256;

function idOf(id: unknown): string {
  return typeof id === "string" && id.length <= longestId ? id : "";
}

/** Returns the event of a part of a tool that Google runs. Undefined for other parts. */
export function serverToolEvent(index: number, partIndex: number, part: Fields): DeltaEvent | undefined {
  for (const [name, toEvent] of Object.entries(kinds)) {
    const value = part[name];
    if (isFields(value)) return toEvent(index, partIndex, value);
  }
  return undefined;
}

/** Returns the part that Google sent, from its provider state. Undefined if the state is not that of such a part. */
export function toServerPart(state: ProviderState | undefined): WireServerPart | undefined {
  const part = stateObject(state);
  if (part === undefined) return undefined;
  const name = Object.keys(kinds).find((kind) => isFields(part[kind]));
  if (name === undefined) return undefined;
  const { thoughtSignature: signature } = part;
  return { [name]: part[name], ...(typeof signature === "string" && { thoughtSignature: signature }) };
}

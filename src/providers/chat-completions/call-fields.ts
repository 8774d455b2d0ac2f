import { hasValue, isFields, type Metadata, otherFields } from "../kit/metadata.ts";
import type { ChunkToolCall } from "./wire.ts";

const callFields: ReadonlySet<string> = new Set(["index", "id", "type", "function"]);
export const functionFields: ReadonlySet<string> = new Set(["name", "arguments"]);

/**
 * Keeps the fields of tool calls that the contract has no field for as metadata, with the index of their call.
 *
 * @param calls the calls as the server sent them
 */
export function keepCallFields(metadata: Metadata, calls: unknown): void {
  if (!Array.isArray(calls)) return;
  for (const call of calls) {
    if (!isFields(call) || isUsual(call)) continue;
    const rest = Object.fromEntries(otherFields(call, callFields));
    const ofFunction = Object.fromEntries(otherFields(call.function, functionFields));
    if (!hasValue(rest) && !hasValue(ofFunction)) continue;
    const place = typeof call.index === "number" ? { index: call.index } : {};
    metadata.add("tool_calls", [{ ...place, ...rest, ...(hasValue(ofFunction) && { function: ofFunction }) }], "join");
  }
}

/** Returns the tool calls of a choice as the server sent them. */
export function sentCalls(chunk: unknown, place: number): unknown {
  const choice: unknown = isFields(chunk) && Array.isArray(chunk.choices) ? chunk.choices[place] : undefined;
  const message = isFields(choice) ? (choice.delta ?? choice.message) : undefined;
  return isFields(message) ? message.tool_calls : undefined;
}

/** Whether a call has only the usual fields. */
function isUsual(call: Readonly<Record<string, unknown>>): boolean {
  for (const name in call) if (!callFields.has(name)) return false;
  const called = call.function;
  if (isFields(called)) for (const name in called) if (!functionFields.has(name)) return false;
  return true;
}

/** The tool calls of a choice that are no function calls, such as those of the type `custom`, as metadata. */
export class OtherCalls {
  readonly #metadata: Metadata;
  readonly #indexes = new Set<number>();

  constructor(metadata: Metadata) {
    this.#metadata = metadata;
  }

  /**
   * Keeps a call, or a fragment of one, that is no function call. Returns false for function calls.
   *
   * @param raw the call as the server sent it
   */
  keep({ index, function: called }: ChunkToolCall, raw: unknown): boolean {
    if (called || !isFields(raw)) return false;
    const { type } = raw;
    const isTyped = typeof type === "string" && type !== "" && type !== "function";
    const hasContent = Object.values(raw).some(isFields);
    if (isTyped || hasContent) this.#metadata.add("tool_calls", [raw], "join");
    else if (typeof index !== "number" || !this.#indexes.has(index)) return false;
    if (typeof index === "number") this.#indexes.add(index);
    return true;
  }
}

import { type ChatEvent, citationDelta, textDelta } from "../../chat/stream/events.ts";
import { membersOf } from "../kit/json-text.ts";
import { type BlockState, type ContentState, partOf } from "./block-state.ts";
import { toCitation } from "./citations.ts";

/** Delta types that append to the content of a block, which may be nothing. */
const appending: ReadonlySet<string> = new Set(["text_delta", "input_json_delta", "thinking_delta", "signature_delta"]);

/** Adds a delta that appends nothing: a citation, or the final fields of a block. Reports any other type of delta. */
export function extendRarely(
  answer: ContentState,
  index: number,
  state: BlockState,
  data: string,
  batch: ChatEvent[],
): void {
  const delta = membersOf(membersOf(data).get("delta") ?? "");
  const type: unknown = JSON.parse(delta.get("type") ?? "null");
  const citation = delta.get("citation");
  if (state.kind === "text" && citation !== undefined && citation !== "null") {
    addCitation(answer, state, citation, batch);
  } else if (state.kind === "other" && (type === "compaction_delta" || type === "signature_delta")) {
    for (const [name, json] of delta) if (name !== "type") state.held.set(name, json);
    answer.call.hadHiddenOutput = true;
  } else if (typeof type === "string" && !(appending.has(type) && hasNoContent(delta))) {
    answer.unread.add(type, `content block ${index}`);
  }
}

/** @param delta the exact JSON text of each member */
function hasNoContent(delta: ReadonlyMap<string, string>): boolean {
  return delta.entries().every(([name, json]) => name === "type" || json === '""' || json === "null");
}

/** Adds a citation to a text. The API may send it before the text. */
export function addCitation(answer: ContentState, state: BlockState, json: string, batch: ChatEvent[]): void {
  if (state.part === undefined) batch.push(textDelta(0, partOf(answer, state), ""));
  batch.push(citationDelta(0, partOf(answer, state), toCitation(json, answer.call)));
}

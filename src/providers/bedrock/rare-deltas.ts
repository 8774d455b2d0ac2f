import {
  type ChatEvent,
  citationDelta,
  mediaDelta,
  serverToolResultDelta,
  textDelta,
} from "../../chat/stream/events.ts";
import { itemsOf, membersOf } from "../kit/json-text.ts";
import { blockAt, type ContentState } from "./block-state.ts";
import { toCitation } from "./citations.ts";
import { serverResult } from "./server-blocks.ts";

/**
 * Adds the members of a delta that are no text, no input and no reasoning, and names those that this version does not
 * know. `delta` has the exact JSON text of each member.
 */
export function extendRarely(
  answer: ContentState,
  index: number,
  delta: ReadonlyMap<string, string>,
  batch: ChatEvent[],
): void {
  for (const [name, json] of delta) {
    if (json === "null") continue;
    switch (name) {
      case "text":
      case "toolUse":
      case "reasoningContent":
        break;
      case "citation":
        addCitation(answer, index, json, batch);
        break;
      case "toolResult": {
        const known = answer.blocks.get(index);
        if (known?.kind !== "serverResult") {
          batch.push(serverResult(blockAt(answer, index, "serverResult").partIndex, "{}", answer.call));
        }
        const { partIndex, content } = blockAt(answer, index, "serverResult");
        const text = itemsOf(json).map((item) => content?.add(item) ?? "");
        if (text.length > 0) batch.push(serverToolResultDelta(0, partIndex, text.join("")));
        break;
      }
      case "image":
        addImage(answer, index, json, batch);
        break;
      default:
        answer.unread.add(name, `content block ${index}`);
    }
  }
}

/** Adds a citation to a text. Bedrock may send it before the text. */
function addCitation(answer: ContentState, index: number, json: string, batch: ChatEvent[]): void {
  if (answer.blocks.get(index)?.kind !== "text") {
    batch.push(textDelta(0, blockAt(answer, index, "text").partIndex, ""));
  }
  batch.push(citationDelta(0, blockAt(answer, index, "text").partIndex, toCitation(json, answer.call)));
}

/** Returns the string in a JSON text; empty for any other value. */
function textOf(json: string | undefined): string {
  const value: unknown = json === undefined ? "" : JSON.parse(json);
  return typeof value === "string" ? value : "";
}

function addImage(answer: ContentState, index: number, json: string, batch: ChatEvent[]): void {
  const image = membersOf(json);
  const bytes = textOf(membersOf(image.get("source") ?? "").get("bytes"));
  if (bytes === "") {
    answer.unread.add("an image without bytes", `content block ${index}`);
    return;
  }
  if ((image.get("error") ?? "null") !== "null") answer.unread.add("an error of an image", `content block ${index}`);
  const isNew = answer.blocks.get(index)?.kind !== "image";
  const mediaType = isNew ? (answer.imageTypes.get(index) ?? "image/png") : "";
  batch.push(
    mediaDelta(0, blockAt(answer, index, "image").partIndex, {
      source: { case: "data", value: Buffer.from(bytes, "base64") },
      mediaType: mediaType,
    }),
  );
}

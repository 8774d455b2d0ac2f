import { fromJsonText } from "../kit/json-values.ts";
import type { Block, BlockDelta, BlockEvent } from "./block-output.ts";

/** Fields of a block that deltas extend. */
interface Joined {
  text?: string;
  citations?: readonly object[] | null;
  thinking?: string;
  signature?: string;
  input?: unknown;
}

/** Joins the events of content blocks to the blocks of a whole message. */
export function joinBlocks(events: readonly BlockEvent[]): readonly Block[] {
  const blocks: (Block & Joined)[] = [];
  let json = "";
  for (const event of events) {
    switch (event.type) {
      case "content_block_start":
        blocks[event.index] = { ...event.content_block };
        json = "";
        break;
      case "content_block_delta": {
        const block = blocks[event.index];
        if (event.delta.type === "input_json_delta") json += event.delta.partial_json;
        else if (block !== undefined) extend(block, event.delta);
        break;
      }
      case "content_block_stop": {
        const block = blocks[event.index];
        if (block !== undefined && json !== "") block.input = inputOf(json);
        json = "";
        break;
      }
      default:
        event satisfies never;
    }
  }
  return blocks;
}

function extend(block: Joined, delta: Exclude<BlockDelta, { type: "input_json_delta" }>): void {
  switch (delta.type) {
    case "text_delta":
      block.text = `${block.text ?? ""}${delta.text}`;
      break;
    case "citations_delta":
      block.citations = [...(block.citations ?? []), delta.citation];
      break;
    case "thinking_delta":
      block.thinking = `${block.thinking ?? ""}${delta.thinking}`;
      break;
    case "signature_delta":
      block.signature = delta.signature;
      break;
    default:
      delta satisfies never;
  }
}

/** Returns the input of a call. Arguments that are no JSON, for instance cut off, are a text inside an object. */
export function inputOf(json: string): unknown {
  if (json === "") return {};
  const value = fromJsonText(json);
  return typeof value === "object" && value !== null ? value : { invalid_arguments: json };
}

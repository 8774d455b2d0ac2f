import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import type { Unread } from "../kit/unread.ts";
import { ContentList } from "./server-blocks.ts";

/** Content block in progress. */
export interface BlockState {
  readonly kind: "text" | "reasoning" | "redacted" | "toolUse" | "serverCall" | "serverResult" | "image";
  readonly partIndex: number;
  /** Calls only: whether a delta with arguments has arrived. */
  hasArguments: boolean;
  /** Results of Bedrock's tools only: their content. Undefined after the end of the block. */
  content: ContentList | undefined;
}

/** Content of the response in progress. */
export interface ContentState {
  readonly call: UpstreamCall;
  /** Whether the caller requested the reasoning format HIDDEN. Dragoman then omits the reasoning text. */
  readonly hideReasoning: boolean;
  /** Blocks by Bedrock's index. Deltas of several blocks may interleave. */
  readonly blocks: Map<number, BlockState>;
  /** Indexes of the blocks whose reasoning text Dragoman omitted. */
  readonly hidden: Set<number>;
  /** Number of parts so far. */
  parts: number;
  readonly unread: Unread;
  /** Media types of images that have begun, by Bedrock's index. */
  readonly imageTypes: Map<number, string>;
}

/** Returns the block at an index. Starts a new part if the index is new or the block's kind changed. */
export function blockAt(answer: ContentState, index: number, kind: BlockState["kind"]): BlockState {
  const known = answer.blocks.get(index);
  if (known?.kind === kind) return known;
  const content = kind === "serverResult" ? new ContentList() : undefined;
  const block: BlockState = { kind, partIndex: answer.parts++, hasArguments: false, content };
  answer.blocks.set(index, block);
  return block;
}

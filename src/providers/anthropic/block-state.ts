import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import type { Unread } from "../kit/unread.ts";

/** Content block in progress. `part` is the index of its part, set at the first delta. */
export interface BlockState {
  readonly kind: "text" | "thinking" | "redacted_thinking" | "tool_use" | "server_call" | "server_result" | "other";
  part: number | undefined;
  /** Calls only: the JSON text of the input in `content_block_start`. */
  readonly input: string;
  /** Calls only: whether a delta with input has arrived. */
  hasInput: boolean;
  /** `other` only: the members of the block, which deltas may replace. Empty after the end of the block. */
  readonly held: Map<string, string>;
}

/** Content of the response in progress. */
export interface ContentState {
  readonly call: UpstreamCall;
  /** Blocks by the API's index. */
  readonly blocks: Map<number, BlockState>;
  parts: number;
  readonly unread: Unread;
}

export function partOf(answer: ContentState, state: BlockState): number {
  state.part ??= answer.parts++;
  return state.part;
}

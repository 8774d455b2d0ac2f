import { members, membersByType } from "../kit/unread.ts";

// Members of the stream's events that need no warning. `p` is padding. Other code
// names unknown blocks and deltas, and carries members of the tools that Bedrock runs and of the end of the response.
// Source: @aws-sdk/client-bedrock-runtime, models/models_0.d.ts.

const block = { contentBlockIndex: true, p: true } as const;

export const eventMembers = membersByType({
  messageStart: { role: true, p: true },
  contentBlockStart: { ...block, start: { image: { format: true }, "*": true } },
  contentBlockDelta: {
    ...block,
    delta: {
      toolUse: { input: true },
      reasoningContent: { text: true, signature: true, redactedContent: true },
      image: { source: { bytes: true }, error: true },
      "*": true,
    },
  },
  contentBlockStop: block,
  messageStop: { "*": true },
  metadata: { metrics: { latencyMs: true }, serviceTier: { type: true }, "*": true },
});

/** Kinds of blocks that have a start. */
export const startMembers: ReadonlySet<string> = new Set(["toolUse", "toolResult", "image"]);

/** Members of the start of a call of the caller's tools. */
export const callMembers = members("toolUse", { toolUseId: true, name: true, type: true });

import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type FamilyRules, rulesFor } from "../../models/family-rules.ts";
import { type HintPlace, type HintRules, keptHints, lifeOf } from "../kit/cache-hints.ts";

/** How a server takes prompt cache breakpoints for a model. */
export interface CacheMarks {
  /** What has `cache_control`: a whole message, or the text parts of a message. */
  readonly on: "messages" | "texts";
  /** Whether tools can have `cache_control`. */
  readonly tools: boolean;
  /** Whether a breakpoint can have a time to live. */
  readonly ttl: boolean;
  /** Maximum breakpoints per request. */
  readonly most: number;
}

/** A breakpoint, as a member of a message, part or tool. */
export interface CacheMark {
  readonly cache_control?: { readonly type: "ephemeral"; readonly ttl?: "5m" | "1h" };
}

/** Returns the breakpoint of a tool or part. Empty: none. */
export type Marker = (...place: HintPlace) => CacheMark;

export function createMarker(request: ChatRequest, marks: CacheMarks | undefined): Marker {
  if (marks === undefined) return () => ({});
  const kept = keptHints(request, hintRules(marks, ""));
  return (...place) => {
    const hint = kept(...place);
    return hint === undefined ? {} : { cache_control: { type: "ephemeral", ...(marks.ttl && lifeOf(hint)) } };
  };
}

/** Returns which cache hints a server takes. */
export function hintRules({ on, tools, ttl, most }: CacheMarks, title: string): HintRules {
  return {
    title,
    most,
    hasLives: ttl,
    toolProblem: ({ kind }) =>
      tools && kind.case === "function"
        ? undefined
        : `${title} does not support a cache hint on this tool; it is dropped`,
    partProblem({ part: { kind }, message, place }) {
      if (on === "messages") {
        const isLast = message.parts.slice(place + 1).every(({ cacheHint }) => cacheHint === undefined);
        // Each result of a tool message is a message of its own.
        return isLast || kind.case === "toolResult"
          ? undefined
          : `${title} supports one cache hint per message; only the last one is kept`;
      }
      const isText = kind.case === "text" || (kind.case === "toolResult" && kind.value.parts.length > 0);
      return isText ? undefined : `${title} supports cache hints only on text; this one is dropped`;
    },
  };
}

const texts: CacheMarks = { on: "texts", tools: false, ttl: false, most: 4 };

/** The other families cache automatically. */
export const marksOfFamilies: FamilyRules<CacheMarks> = {
  about: "prompt cache breakpoints at OpenRouter",
  sources: [{ from: "https://openrouter.ai/docs/features/prompt-caching", read: "2026-11-28" }],
  families: [
    { pattern: /claude/i, versions: [["1", { ...texts, tools: true, ttl: true }]] },
    // The last breakpoint counts at Google, whose cache lives for 5 minutes.
    { pattern: /gemini|qwen/i, versions: [["1", texts]] },
  ],
};

export function familyMarks(providerModel: string): CacheMarks | undefined {
  return rulesFor(marksOfFamilies, providerModel);
}

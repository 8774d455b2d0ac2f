import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { type PlacedPart, partsOf } from "../../chat/planning/parts.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { CacheHint } from "../../gen/dragoman/v1/message_pb.js";
import type { Tool } from "../../gen/dragoman/v1/tool_pb.js";
import { atPlaces, emulated } from "./adaptations.ts";

/** What an API supports of prompt cache breakpoints. */
export interface HintRules {
  /** Name of the API in warnings. */
  readonly title: string;
  /** Maximum breakpoints per request. */
  readonly most: number;
  /** Returns why a tool cannot have a breakpoint. Undefined: it can. */
  readonly toolProblem?: (tool: Tool) => string | undefined;
  /** Returns why a part cannot have a breakpoint. Undefined: it can. */
  readonly partProblem?: (placed: PlacedPart) => string | undefined;
}

/** Maximum prompt cache breakpoints per request, at Anthropic and at Amazon. */
export const claudeBreakpoints = 4;

/** Default time to live of a cached prompt, in seconds. */
const defaultSeconds = 300n;

/** Place of a cache hint: the index of a tool, or those of a message and a part. */
export type HintPlace = readonly [tool: number] | readonly [message: number, part: number];

/** Returns the cache hint at a place if it becomes a breakpoint. */
type KeptHints = (...place: HintPlace) => CacheHint | undefined;

interface PlacedHint {
  readonly hint: CacheHint;
  readonly place: HintPlace;
  readonly path: FieldPath;
  /** Why there is no breakpoint. */
  readonly problem: string | undefined;
}

const unmarkable = "reasoning and empty text cannot have a cache hint; the hint is dropped";

/** Returns a request's cache hints in prompt order: tools, then messages. */
function hintsOf({ tools, messages }: ChatRequest, rules: HintRules): readonly PlacedHint[] {
  const hints: PlacedHint[] = [];
  for (const [index, tool] of tools.entries()) {
    if (tool.cacheHint === undefined) continue;
    const path = ["tools", index, "cache_hint"];
    hints.push({ hint: tool.cacheHint, place: [index], path, problem: rules.toolProblem?.(tool) });
  }
  for (const placed of partsOf(messages)) {
    const { part, index, place } = placed;
    if (part.cacheHint === undefined) continue;
    const problem = isMarkable(placed) ? rules.partProblem?.(placed) : unmarkable;
    hints.push({ hint: part.cacheHint, place: [index, place], path: [...placed.path, "cache_hint"], problem });
  }
  return hints;
}

function isMarkable({ part: { kind } }: PlacedPart): boolean {
  return kind.case !== "reasoning" && !((kind.case === "text" || kind.case === "refusal") && kind.value === "");
}

/**
 * Returns the hints that become breakpoints: the last ones, since they cover the longest prefixes of the prompt. Finds
 * them by their place: several parts may share one object.
 */
export function keptHints(request: ChatRequest, rules: HintRules): KeptHints {
  const markable = hintsOf(request, rules).filter(({ problem }) => problem === undefined);
  const kept = new Map(markable.slice(-rules.most).map(({ hint, place }) => [place.join(), hint]));
  return (...place) => kept.get(place.join());
}

/** Converts a TTL to one of the two that the APIs support: 5 minutes, or 1 hour for any longer TTL. */
export function lifeOf({ ttl }: CacheHint): { readonly ttl?: "5m" | "1h" } {
  return ttl === undefined ? {} : { ttl: ttl.seconds > defaultSeconds ? "1h" : "5m" };
}

/** Reports every cache hint that does not become a breakpoint. */
export function* hintAdaptations(request: ChatRequest, rules: HintRules): Generator<Adaptation> {
  const hints = hintsOf(request, rules);
  const surplus = hints.filter(({ problem }) => problem === undefined).slice(0, -rules.most);
  const sentence = `${rules.title} supports ${rules.most} cache hints; only the last ${rules.most} are kept`;
  yield* atPlaces(surplus.map(({ path }) => emulated(path, sentence)));
  yield* atPlaces(hints.flatMap(({ path, problem }) => (problem === undefined ? [] : [emulated(path, problem)])));
}

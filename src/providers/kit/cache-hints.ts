import { create } from "@bufbuild/protobuf";
import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { type PlacedPart, partsOf } from "../../chat/planning/parts.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type CacheHint, CacheHintSchema, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { Tool } from "../../gen/dragoman/v1/tool_pb.js";
import { atPlaces, emulated } from "./adaptations.ts";

/** What an API supports of prompt cache breakpoints. */
export interface HintRules {
  /** Name of the API in warnings. */
  readonly title: string;
  /** Maximum breakpoints per request. */
  readonly most: number;
  /** Whether breakpoints have a time to live. */
  readonly hasLives: boolean;
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
  /** Whether it is on a system text, which may precede all other messages in the provider's order. */
  readonly isSystem: boolean;
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
    const problem = rules.toolProblem?.(tool);
    hints.push({ hint: tool.cacheHint, place: [index], path, isSystem: false, problem });
  }
  for (const placed of partsOf(messages)) {
    const { part, message, index, place } = placed;
    if (part.cacheHint === undefined) continue;
    const problem = isMarkable(placed) ? rules.partProblem?.(placed) : unmarkable;
    const isSystem = message.role === Role.SYSTEM || message.role === Role.DEVELOPER;
    hints.push({
      hint: part.cacheHint,
      place: [index, place],
      path: [...placed.path, "cache_hint"],
      isSystem,
      problem,
    });
  }
  return hints;
}

function isMarkable({ part: { kind } }: PlacedPart): boolean {
  return kind.case !== "reasoning" && !((kind.case === "text" || kind.case === "refusal") && kind.value === "");
}

/**
 * Returns the hints that become breakpoints: the last ones, since they cover the longest prefixes of the prompt. Finds
 * them by their place: several parts may share one object. If breakpoints have a time to live, a hint before one of an
 * hour gets an hour too.
 */
export function keptHints(request: ChatRequest, rules: HintRules): KeptHints {
  const marks = lastMarkable(hintsOf(request, rules), rules);
  const raised = raisedHints(marks, rules);
  const kept = new Map(marks.map((mark) => [mark.place.join(), raised.has(mark) ? hourHint : mark.hint]));
  return (...place) => kept.get(place.join());
}

function lastMarkable(hints: readonly PlacedHint[], { most }: HintRules): readonly PlacedHint[] {
  return hints.filter(({ problem }) => problem === undefined).slice(-most);
}

/**
 * Returns the hints whose time to live must be an hour because that of a later hint is: "a ttl='1h' cache_control block
 * must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`,
 * `system`, `messages`." headroomlabs-ai/headroom#2939
 */
function raisedHints(marks: readonly PlacedHint[], { hasLives }: HintRules): ReadonlySet<PlacedHint> {
  if (!hasLives) return new Set();
  const isLong = ({ hint }: PlacedHint) => lifeOf(hint).ttl === "1h";
  const isBeforeLong = (mark: PlacedHint, index: number) =>
    marks.some((other, at) => isLong(other) && (at > index || (mark.isSystem && !other.isSystem && isPart(other))));
  return new Set(marks.filter((mark, index) => !isLong(mark) && isBeforeLong(mark, index)));
}

const isPart = ({ place }: PlacedHint) => place.length === 2;
const hourHint = create(CacheHintSchema, { ttl: { seconds: 3600n } });

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
  const raised = [...raisedHints(lastMarkable(hints, rules), rules)].map(({ path }) => path);
  const lives = `${rules.title} requires the longest lifetimes first: this hint gets 1 hour, as a later one`;
  yield* atPlaces(raised.map((path) => emulated(path, lives)));
  yield* atPlaces(hints.flatMap(({ path, problem }) => (problem === undefined ? [] : [emulated(path, problem)])));
}

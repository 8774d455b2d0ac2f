import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { partsOf } from "../../chat/planning/parts.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { CacheHint, Part } from "../../gen/dragoman/v1/message_pb.js";
import { emulated } from "./adaptations.ts";

/** Maximum prompt cache breakpoints per request, at Anthropic and at Amazon. */
const maxBreakpoints = 4;

/** Default time to live of a cached prompt, in seconds. */
const defaultSeconds = 300n;

interface PlacedHint {
  readonly hint: CacheHint;
  readonly path: FieldPath;
  /** Whether the tool or part can have a breakpoint. Reasoning cannot, nor can empty text, which is not sent. */
  readonly markable: boolean;
}

/** Returns a request's cache hints in prompt order: tools, then messages. */
function hintsOf({ tools, messages }: ChatRequest): readonly PlacedHint[] {
  const onTools = tools.flatMap(({ cacheHint: hint }, index) =>
    hint === undefined ? [] : [{ hint, path: ["tools", index, "cache_hint"], markable: true }],
  );
  const onParts = partsOf(messages).flatMap(({ part, path }) =>
    part.cacheHint === undefined
      ? []
      : [{ hint: part.cacheHint, path: [...path, "cache_hint"], markable: isMarkable(part) }],
  );
  return [...onTools, ...onParts];
}

function isMarkable({ kind }: Part): boolean {
  return kind.case !== "reasoning" && !((kind.case === "text" || kind.case === "refusal") && kind.value === "");
}

/** Returns the hints that become breakpoints: the last four, since they cover the longest prefixes of the prompt. */
export function keptHints(request: ChatRequest): ReadonlySet<CacheHint> {
  const markable = hintsOf(request).filter((placed) => placed.markable);
  return new Set(markable.slice(-maxBreakpoints).map(({ hint }) => hint));
}

/** Converts a TTL to one of the two that the APIs support: 5 minutes, or 1 hour for any longer TTL. */
export function lifeOf({ ttl }: CacheHint): { readonly ttl?: "5m" | "1h" } {
  return ttl === undefined ? {} : { ttl: ttl.seconds > defaultSeconds ? "1h" : "5m" };
}

/** Reports cache hints that do not become breakpoints, with one warning for each of the two possible reasons. */
export function* hintAdaptations(request: ChatRequest, title: string): Generator<Adaptation> {
  const hints = hintsOf(request);
  const [surplus, ...others] = hints.filter(({ markable }) => markable);
  if (surplus !== undefined && others.length >= maxBreakpoints) {
    yield emulated(
      surplus.path,
      `${title} supports ${maxBreakpoints} cache hints; only the last ${maxBreakpoints} are kept`,
    );
  }
  const unplaced = hints.find(({ markable }) => !markable);
  if (unplaced === undefined) return;
  yield emulated(unplaced.path, "reasoning and empty text cannot have a cache hint; the hint is dropped");
}

import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { partsOf } from "../../chat/planning/parts.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { CacheHint, Part } from "../../gen/dragoman/v1/message_pb.js";
import { emulated } from "./adaptations.ts";

/** Anthropic and Amazon cache a prompt up to marks, of which a request may hold this many. */
const mostMarks = 4;

/** How long a prompt stays cached unless it is asked for longer, in seconds. */
const usualSeconds = 300n;

interface PlacedHint {
  readonly hint: CacheHint;
  readonly path: FieldPath;
  /** Whether a mark can be put there: not on thoughts, and not on empty text, which is not sent. */
  readonly markable: boolean;
}

/** The hints of a request in the order of its prompt: tools, then messages. */
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

/** The hints that become marks. Of too many the last ones are kept, which cover the longest beginnings. */
export function keptHints(request: ChatRequest): ReadonlySet<CacheHint> {
  const markable = hintsOf(request).filter((placed) => placed.markable);
  return new Set(markable.slice(-mostMarks).map(({ hint }) => hint));
}

/** How long a mark asks the prompt to be kept: five minutes, or an hour for more. There are no other lives. */
export function lifeOf({ ttl }: CacheHint): { readonly ttl?: "5m" | "1h" } {
  return ttl === undefined ? {} : { ttl: ttl.seconds > usualSeconds ? "1h" : "5m" };
}

/** What becomes of hints that get no mark, told once for each reason. */
export function* hintAdaptations(request: ChatRequest, title: string): Generator<Adaptation> {
  const hints = hintsOf(request);
  const [surplus, ...others] = hints.filter(({ markable }) => markable);
  if (surplus !== undefined && others.length >= mostMarks) {
    yield emulated(surplus.path, `${title} takes ${mostMarks} cache hints: the last ones are kept`);
  }
  const unplaced = hints.find(({ markable }) => !markable);
  if (unplaced === undefined) return;
  yield emulated(unplaced.path, "thoughts and empty texts take no cache hint: theirs are left out");
}

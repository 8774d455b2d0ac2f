import { z } from "zod";
import { type ChatEvent, citationDelta } from "../../chat/stream/events.ts";
import { TextPositions } from "../../chat/stream/text-positions.ts";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { citation, documentCitation, urlCitation } from "../kit/citations.ts";
import { isFields } from "../kit/metadata.ts";
import { stateObject, stateOf } from "../kit/provider-state.ts";
import { planMark } from "./fields.ts";

const text = z.string().nullish().catch(undefined);
const index = z.number().int().nonnegative().nullish().catch(undefined);

// Source: cohere-ai 8.1.0, Citation.d.ts and Source.d.ts. Positions are in characters.
const citationSchema = z.object({
  start: index,
  end: index,
  sources: z
    .array(z.object({ type: text, id: text, document: z.unknown().optional() }))
    .nullish()
    .catch(undefined),
  content_index: index,
  type: text,
});

type WireCitation = z.infer<typeof citationSchema>;
type Source = NonNullable<WireCitation["sources"]>[number];

/** Converts Cohere's citations, each of one or several sources, to citations of the parts that they are about. */
export class Citations {
  readonly #call: UpstreamCall;
  readonly #positions = new Map<number, TextPositions>();
  /** Citations of which no part is known. */
  readonly sources: Citation[] = [];

  constructor(call: UpstreamCall) {
    this.#call = call;
  }

  /** Adds text of a part, to which positions refer. */
  wrote(part: number, text: string): void {
    const positions = this.#positions.get(part) ?? new TextPositions();
    this.#positions.set(part, positions);
    positions.append(text);
  }

  /** Reads a citation. `blocks` has the part of each content block: see `AnswerState`. Returns false if it is none. */
  read(value: unknown, blocks: ReadonlyMap<string, number>, batch: ChatEvent[]): boolean {
    const parsed = citationSchema.safeParse(value);
    if (!parsed.success) return false;
    const { start, end, sources } = parsed.data;
    const part = partOf(parsed.data, blocks);
    const range = part === undefined ? undefined : this.#positions.get(part)?.toBytes(start ?? -1, end ?? -1);
    // Cohere accepts the whole citation back, so the first of its sources has it, and the others have an empty state.
    const state = stateOf(this.#call, Buffer.from(JSON.stringify(value)));
    const citations = sources?.length
      ? sources.map((source, at) =>
          toCitation(source, { range, state: at === 0 ? state : stateOf(this.#call, Buffer.from("{}")) }),
        )
      : [citation({ case: undefined }, { range, state })];
    for (const one of citations) {
      if (part === undefined) this.sources.push(one);
      else batch.push(citationDelta(0, part, one));
    }
    return true;
  }
}

function partOf({ type, content_index }: WireCitation, blocks: ReadonlyMap<string, number>): number | undefined {
  if (type === "PLAN") return blocks.get(planMark);
  const kind = type === "THINKING_CONTENT" ? "thinking" : "text";
  if (typeof content_index === "number") {
    const part = blocks.get(`${kind} ${content_index}`);
    if (part !== undefined) return part;
  }
  return [...blocks].findLast(([block]) => block.startsWith(`${kind} `))?.[1];
}

function toCitation({ id, document }: Source, place: Parameters<typeof urlCitation>[2]): Citation {
  const { title, url } = isFields(document) ? document : {};
  const name = typeof title === "string" ? title : "";
  if (typeof url === "string" && /^https?:/i.test(url)) return urlCitation(url, name, place);
  return documentCitation(name, id ?? "", place);
}

/** Returns Cohere's citation. Undefined for other citations, and for the further sources of one. */
export function toWireCitation({ providerState }: Citation): Readonly<Record<string, unknown>> | undefined {
  const value = stateObject(providerState);
  return value !== undefined && citationSchema.safeParse(value).success && "start" in value ? value : undefined;
}

import { z } from "zod";
import { type ChatEvent, citationDelta, mediaDelta } from "../../chat/stream/events.ts";
import { TextPositions } from "../../chat/stream/text-positions.ts";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { documentCitation, urlCitation } from "../kit/citations.ts";
import { isFields, Metadata, otherFields } from "../kit/metadata.ts";
import { mediaOfUrl } from "../kit/output-media.ts";
import { stateObject, stateOf } from "../kit/provider-state.ts";
import type { Unread } from "../kit/unread.ts";
import { contentMembers, thinkingMembers } from "./read-members.ts";
import type { ReferenceChunk } from "./wire.ts";

const address = z.union([z.string(), z.object({ url: z.string() }).transform(({ url }) => url)]);
const text = z.string().nullish().catch(undefined);

// Source: @mistralai/mistralai 2.7.0, esm/models/components/{referencechunk,toolreferencechunk,imageurlchunk,
// documenturlchunk,filechunk}.d.ts.
const reference = z.object({ reference_ids: z.array(z.union([z.string(), z.number()])) });
const toolReference = z.object({ type: z.literal("tool_reference"), url: text, title: text, description: text });
const image = z.object({ image_url: address });
const document = z.object({ document_url: address, document_name: text });
const file = z.object({ file_id: z.string().min(1).max(512) });

/** Types of content chunks that other code reads. */
const known: ReadonlySet<unknown> = new Set(["text", "thinking"]);

/** Fields of a choice and of a delta that other code reads. */
const choiceFields: ReadonlySet<string> = new Set(["index", "delta", "message", "finish_reason", "logprobs"]);
const messageFields: ReadonlySet<string> = new Set(["role", "content", "tool_calls", "prefix"]);

/** Maximum number of citations that wait for the text. */
const mostWaiting = 1_000;

/** Reads the content of one choice besides text and reasoning. Fields without a place become metadata. */
export class Extras {
  readonly metadata = new Metadata();
  readonly #call: UpstreamCall;
  readonly #choiceIndex: number;
  readonly #newPart: () => number;
  readonly #unread: Unread;
  readonly #positions = new Map<number, TextPositions>();
  readonly #waiting: Citation[] = [];

  /** `newPart` returns the next free part index. */
  constructor(call: UpstreamCall, choiceIndex: number, newPart: () => number, unread: Unread) {
    this.#call = call;
    this.#choiceIndex = choiceIndex;
    this.#newPart = newPart;
    this.#unread = unread;
  }

  /** Adds text of a part, in which references stand. */
  wrote(part: number, text: string): void {
    const positions = this.#positions.get(part) ?? new TextPositions();
    this.#positions.set(part, positions);
    positions.append(text);
  }

  /** Reads the fields of a choice and of its message that Dragoman has no field for. */
  readFields(choice: unknown, message: unknown): void {
    for (const [name, value] of otherFields(choice, choiceFields)) this.metadata.add(name, value, "merge");
    for (const [name, value] of otherFields(message, messageFields)) this.metadata.add(name, value, "merge");
  }

  /** Reads a content chunk. Returns whether it is neither text nor reasoning. */
  read(chunk: unknown, batch: ChatEvent[]): boolean {
    if (!isFields(chunk)) return false;
    const own = contentMembers.get(String(chunk.type));
    if (known.has(chunk.type)) {
      this.#unread.addMembers(chunk, own);
      return false;
    }
    const found = this.#citations(chunk);
    const media = found === undefined ? toMedia(chunk) : undefined;
    if (found !== undefined) this.#cite(found, batch);
    else if (media !== undefined) batch.push(mediaDelta(this.#choiceIndex, this.#newPart(), media));
    else if (typeof chunk.text !== "string") this.metadata.add("content", [chunk], "merge");
    if (found === undefined && media === undefined) return false;
    this.#unread.addMembers(chunk, own);
    return true;
  }

  /** Keeps the pieces of the reasoning that are no text, such as references. */
  readThinking(pieces: readonly { readonly text?: string | null | undefined }[]): void {
    for (const piece of pieces) {
      if (typeof piece.text === "string") this.#unread.addMembers(piece, thinkingMembers);
      else this.metadata.add("thinking", [piece], "merge");
    }
  }

  /** Appends the citations that came before the text. Without text, returns them as sources of the choice. */
  end(batch: ChatEvent[]): Citation[] {
    const [part] = this.#positions.keys();
    if (part === undefined) return this.#waiting;
    for (const citation of this.#waiting) batch.push(citationDelta(this.#choiceIndex, part, citation));
    return [];
  }

  /** A reference stands at a place of the text, and does not say to which stretch it belongs. */
  #citations(chunk: unknown): readonly Citation[] | undefined {
    const at = [...this.#positions.values()].at(-1)?.bytes;
    const range = at === undefined ? undefined : { start: at, end: at };
    const ids = reference.safeParse(chunk).data?.reference_ids;
    if (ids !== undefined) {
      // Mistral accepts the whole chunk back, so the first of its citations has it, and the others have an empty state.
      return ids.map((id, place) => {
        const state = stateOf(this.#call, Buffer.from(place === 0 ? JSON.stringify(toReference(ids)) : "{}"));
        return documentCitation("", String(id), { range, state });
      });
    }
    const { data: tool } = toolReference.safeParse(chunk);
    return tool?.url ? [urlCitation(tool.url, tool.title, { range, citedText: tool.description })] : undefined;
  }

  #cite(citations: readonly Citation[], batch: ChatEvent[]): void {
    const part = [...this.#positions.keys()].at(-1);
    for (const citation of citations) {
      if (part !== undefined) batch.push(citationDelta(this.#choiceIndex, part, citation));
      else if (this.#waiting.length < mostWaiting) this.#waiting.push(citation);
    }
  }
}

function toReference(ids: readonly (string | number)[]): ReferenceChunk {
  return { type: "reference", reference_ids: ids };
}

/** Returns the reference of a citation. Undefined for other citations, and for the further ids of a reference. */
export function referenceOf({ providerState }: Citation): ReferenceChunk | undefined {
  const { data } = reference.safeParse(stateObject(providerState));
  return data && toReference(data.reference_ids);
}

function toMedia(chunk: unknown): Parameters<typeof mediaDelta>[2] | undefined {
  const { data: picture } = image.safeParse(chunk);
  if (picture) return mediaOfUrl(picture.image_url);
  const { data: paper } = document.safeParse(chunk);
  if (paper) return { ...mediaOfUrl(paper.document_url), filename: (paper.document_name ?? "").slice(0, 255) };
  const { data: stored } = file.safeParse(chunk);
  return stored && { source: { case: "fileId", value: stored.file_id } };
}

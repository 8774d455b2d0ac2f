import { z } from "zod";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import { documentCitation, urlCitation } from "../kit/citations.ts";

const text = z.string().nullish().catch(undefined);
const position = z.number().int().nonnegative().nullish().catch(undefined);
const list = <Item extends z.ZodType>(item: Item) =>
  z.array(item.nullish().catch(undefined)).nullish().catch(undefined);

const chunk = z.object({
  web: z.object({ uri: text, title: text }).nullish(),
  maps: z.object({ uri: text, title: text, text }).nullish(),
  image: z.object({ sourceUri: text, title: text }).nullish(),
  retrievedContext: z.object({ uri: text, title: text, text, documentName: text }).nullish(),
});

const support = z.object({
  segment: z.object({ startIndex: position, endIndex: position, text }).nullish(),
  groundingChunkIndices: z.array(z.number().int().nonnegative()).nullish(),
});

const groundingSchema = z.object({ groundingChunks: list(chunk), groundingSupports: list(support) });
const recitations = z.object({
  citations: list(z.object({ startIndex: position, endIndex: position, uri: text, title: text })),
});
const urlContext = z.object({ urlMetadata: list(z.object({ retrievedUrl: text, urlRetrievalStatus: text })) });

/** Fields of a candidate that name sources, as Google sends them. */
interface SourceFields {
  readonly groundingMetadata?: unknown;
  readonly citationMetadata?: unknown;
  readonly urlContextMetadata?: unknown;
}

/** Text part of a candidate, in order. */
export interface SpokenText {
  readonly part: number;
  text: string;
}

interface Place {
  readonly part: number;
  readonly range?: { readonly start: number; readonly end: number };
}

interface Found {
  readonly cited: readonly { readonly part: number; readonly citation: Citation }[];
  /** Sources that no text cites. */
  readonly sources: readonly Citation[];
}

/** Maximum number of citations and sources of a candidate. */
const mostCitations = 5_000;

/**
 * Converts Google's grounding, recitations and retrieved URLs. Its positions are bytes of UTF-8, as in the contract.
 */
export function toCitations(fields: SourceFields, texts: readonly SpokenText[]): Found {
  const places = new Places(texts);
  const cited: { part: number; citation: Citation }[] = [];
  const sources: Citation[] = [];
  const add = (place: Place | undefined, make: (range?: Place["range"]) => Citation) => {
    if (cited.length + sources.length >= mostCitations) return;
    if (place === undefined) sources.push(make());
    else cited.push({ part: place.part, citation: make(place.range) });
  };

  const { groundingChunks, groundingSupports } = groundingSchema.safeParse(fields.groundingMetadata).data ?? {};
  const used = new Set<number>();
  for (const one of groundingSupports ?? []) {
    const place = places.find(one?.segment?.startIndex ?? 0, one?.segment?.endIndex, one?.segment?.text);
    for (const index of one?.groundingChunkIndices ?? []) {
      const source = groundingChunks?.[index];
      if (!source) continue;
      used.add(index);
      add(place, (range) => chunkCitation(source, range));
    }
  }
  for (const [index, source] of (groundingChunks ?? []).entries()) {
    if (source && !used.has(index)) add(undefined, () => chunkCitation(source));
  }
  for (const one of recitations.safeParse(fields.citationMetadata).data?.citations ?? []) {
    if (!one) continue;
    const place = places.find(one.startIndex ?? 0, one.endIndex);
    add(place, (range) =>
      one.uri ? urlCitation(one.uri, one.title, { range }) : documentCitation(one.title, "", { range }),
    );
  }
  for (const one of urlContext.safeParse(fields.urlContextMetadata).data?.urlMetadata ?? []) {
    const isRetrieved = one?.urlRetrievalStatus === "URL_RETRIEVAL_STATUS_SUCCESS";
    const url = one?.retrievedUrl ?? "";
    if (isRetrieved && url !== "" && !hasUrl(sources, url)) add(undefined, () => urlCitation(url, ""));
  }
  return { cited, sources };
}

function chunkCitation(
  { web, maps, image, retrievedContext }: z.infer<typeof chunk>,
  range?: Place["range"],
): Citation {
  if (web) return urlCitation(web.uri ?? "", web.title, { range });
  if (maps) return urlCitation(maps.uri ?? "", maps.title, { range, citedText: maps.text });
  if (image) return urlCitation(image.sourceUri ?? "", image.title, { range });
  const { uri, title, text: citedText, documentName } = retrievedContext ?? {};
  if (uri && /^https?:/i.test(uri)) return urlCitation(uri, title, { range, citedText });
  return documentCitation(title, documentName || uri || "", { range, citedText });
}

function hasUrl(sources: readonly Citation[], url: string): boolean {
  return sources.some(({ source }) => source.case === "url" && source.value.url === url);
}

/** Maximum number of quotes to search in the text, for positions that are wrong. */
const mostSearches = 200;

/** Finds the part of a position. Google counts in one part, or in all parts together. */
class Places {
  readonly #texts: readonly { readonly part: number; readonly bytes: Buffer; readonly offset: number }[];
  #searches = 0;

  constructor(texts: readonly SpokenText[]) {
    let offset = 0;
    this.#texts = texts.map(({ part, text }) => {
      const entry = { part, bytes: Buffer.from(text), offset };
      offset += entry.bytes.length;
      return entry;
    });
  }

  /** Returns undefined if there is no text. `quote` is the text at the position, if Google sends it. */
  find(start: number, end: number | null | undefined, quote?: string | null): Place | undefined {
    const wanted = quote ? Buffer.from(quote) : undefined;
    for (const shift of [this.#texts.map(() => 0), this.#texts.map(({ offset }) => offset)]) {
      for (const [at, { part, bytes }] of this.#texts.entries()) {
        const range = { start: start - (shift[at] ?? 0), end: (end ?? -1) - (shift[at] ?? 0) };
        const isInside = range.start >= 0 && range.start < range.end && range.end <= bytes.length;
        if (isInside && (wanted?.equals(bytes.subarray(range.start, range.end)) ?? true)) return { part, range };
      }
    }
    for (const { part, bytes } of wanted && this.#searches++ < mostSearches ? this.#texts : []) {
      const found = bytes.indexOf(wanted ?? "");
      if (wanted && found >= 0) return { part, range: { start: found, end: found + wanted.length } };
    }
    const last = this.#texts.at(-1);
    return last && { part: last.part };
  }
}

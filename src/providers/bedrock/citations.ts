import { z } from "zod";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { stateOf } from "../kit/provider-state.ts";

const text = z.string().nullish().catch(undefined);
const position = z.int32().nonnegative().nullish().catch(undefined);
const range = z.object({ start: position, end: position });
const place = range.extend({ documentIndex: position }).nullish().catch(undefined);

const citationSchema = z.object({
  title: text,
  source: text,
  sourceContent: z.array(z.object({ text })).nullish().catch(undefined),
  location: z
    .object({
      web: z.object({ url: text }).nullish().catch(undefined),
      documentChar: place,
      documentPage: place,
      documentChunk: place,
      searchResultLocation: range.extend({ searchResultIndex: position }).nullish().catch(undefined),
    })
    .nullish()
    .catch(undefined),
});

type WireCitation = Partial<z.infer<typeof citationSchema>>;

/**
 * Converts a citation. Its provider state is the citation itself. Bedrock states no position in the text: each cited
 * text is a block, and so a part, of its own.
 *
 * @param json the citation as Bedrock sent it
 */
export function toCitation(json: string, call: UpstreamCall): Citation {
  const known = citationSchema.safeParse(JSON.parse(json)).data ?? {};
  return {
    $typeName: "dragoman.v1.Citation",
    citedText: known.sourceContent?.map((part) => part.text ?? "").join("") ?? "",
    source: sourceOf(known),
    providerState: stateOf(call, Buffer.from(json)),
  };
}

function sourceOf({ title, source, location }: WireCitation): Citation["source"] {
  const { web, documentChar, documentPage, documentChunk, searchResultLocation: result } = location ?? {};
  if (web) {
    const url = web.url ?? source ?? "";
    return { case: "url", value: { $typeName: "dragoman.v1.UrlSource", url, title: title ?? "" } };
  }
  if (result) {
    const blocks = rangeOf(result);
    const value = {
      $typeName: "dragoman.v1.SearchResultSource",
      searchResultIndex: result.searchResultIndex ?? 0,
      source: source ?? "",
      title: title ?? "",
      ...(blocks && { blocks }),
    } as const;
    return { case: "searchResult", value };
  }
  const units = { characters: documentChar, pages: documentPage, blocks: documentChunk };
  for (const unit of ["characters", "pages", "blocks"] as const) {
    const found = units[unit];
    if (!found) continue;
    const value = rangeOf(found);
    return documentSource(title ?? source, found.documentIndex, value && { case: unit, value });
  }
  return title || source ? documentSource(title || source, undefined, undefined) : { case: undefined };
}

type DocumentLocation = Extract<Citation["source"], { case: "document" }>["value"]["location"];

function documentSource(
  title: string | null | undefined,
  index: number | null | undefined,
  location: DocumentLocation | undefined,
): Citation["source"] {
  const value = {
    $typeName: "dragoman.v1.DocumentSource",
    title: title ?? "",
    fileId: "",
    location: location ?? { case: undefined },
    ...(typeof index === "number" && { documentIndex: index }),
  } as const;
  return { case: "document", value };
}

function rangeOf({ start, end }: z.infer<typeof range>) {
  if (typeof start !== "number" || typeof end !== "number") return undefined;
  return { $typeName: "dragoman.v1.SourceRange", start, end } as const;
}

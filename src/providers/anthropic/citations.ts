import { z } from "zod";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { membersOf, objectOf } from "../kit/json-text.ts";
import { stateOf } from "../kit/provider-state.ts";

const text = z.string().nullish().catch(undefined);
const position = z.int32().nonnegative().nullish().catch(undefined);

// Only the fields that Dragoman reads. https://platform.claude.com/docs/en/build-with-claude/citations
const citationSchema = z.object({
  type: text,
  cited_text: text,
  document_index: position,
  document_title: text,
  file_id: text,
  start_char_index: position,
  end_char_index: position,
  start_page_number: position,
  end_page_number: position,
  start_block_index: position,
  end_block_index: position,
  url: text,
  title: text,
  source: text,
  search_result_index: position,
});

type WireCitation = z.infer<typeof citationSchema>;

/**
 * Converts a citation. Its provider state is the citation itself, which the API requires back unchanged, such as
 * `encrypted_index`. Anthropic states no position in the text: each cited text is a block, and so a part, of its own.
 *
 * @param json the citation as the API sent it
 */
export function toCitation(json: string, call: UpstreamCall): Citation {
  const known = citationSchema.safeParse(JSON.parse(json)).data ?? {};
  // The API sends the file id of a document, but does not accept it.
  const sentBack = objectOf([...membersOf(json)].filter(([name]) => name !== "file_id"));
  return {
    $typeName: "dragoman.v1.Citation",
    citedText: known.cited_text ?? "",
    source: sourceOf(known),
    providerState: stateOf(call, Buffer.from(sentBack)),
  };
}

function sourceOf(citation: Partial<WireCitation>): Citation["source"] {
  switch (citation.type) {
    case "char_location":
      return documentSource(citation, "characters", citation.start_char_index, citation.end_char_index);
    case "page_location":
      return documentSource(citation, "pages", citation.start_page_number, citation.end_page_number);
    case "content_block_location":
      return documentSource(citation, "blocks", citation.start_block_index, citation.end_block_index);
    case "web_search_result_location": {
      const { url, title } = citation;
      return { case: "url", value: { $typeName: "dragoman.v1.UrlSource", url: url ?? "", title: title ?? "" } };
    }
    case "search_result_location": {
      const blocks = rangeOf(citation.start_block_index, citation.end_block_index);
      const value = {
        $typeName: "dragoman.v1.SearchResultSource",
        searchResultIndex: citation.search_result_index ?? 0,
        source: citation.source ?? "",
        title: citation.title ?? "",
        ...(blocks && { blocks }),
      } as const;
      return { case: "searchResult", value };
    }
    default:
      return { case: undefined };
  }
}

function documentSource(
  { document_index: index, document_title: title, file_id: fileId }: Partial<WireCitation>,
  unit: "characters" | "pages" | "blocks",
  start: number | null | undefined,
  end: number | null | undefined,
): Citation["source"] {
  const value = rangeOf(start, end);
  return {
    case: "document",
    value: {
      $typeName: "dragoman.v1.DocumentSource",
      title: title ?? "",
      fileId: fileId ?? "",
      location: value ? { case: unit, value } : { case: undefined },
      ...(typeof index === "number" && { documentIndex: index }),
    },
  };
}

function rangeOf(start: number | null | undefined, end: number | null | undefined) {
  if (typeof start !== "number" || typeof end !== "number") return undefined;
  return { $typeName: "dragoman.v1.SourceRange", start, end } as const;
}

import type { Citation, DocumentSource, SourceRange } from "../../gen/dragoman/v1/citation_pb.js";
import { claudeMembers, type IsClaude } from "./claude.ts";

const documentTypes: ReadonlySet<unknown> = new Set(["char_location", "page_location", "content_block_location"]);

/** Returns a citation as Anthropic's API has it. Undefined: it has no such source. */
export function toWireCitation(citation: Citation, isClaude: IsClaude): object | undefined {
  const { citedText: cited_text, source, providerState } = citation;
  const members = claudeMembers(providerState, isClaude);
  if (members !== undefined) {
    const fileId = source.case === "document" ? source.value.fileId : "";
    return documentTypes.has(members.type) ? { ...members, file_id: fileId || null } : members;
  }
  switch (source.case) {
    case "url": {
      const { url, title } = source.value;
      return { type: "web_search_result_location", cited_text, url, title: title || null, encrypted_index: "" };
    }
    case "document":
      return { cited_text, ...toLocation(source.value) };
    case "searchResult": {
      const { searchResultIndex, title, blocks } = source.value;
      return {
        type: "search_result_location",
        cited_text,
        source: source.value.source,
        title: title || null,
        search_result_index: searchResultIndex,
        start_block_index: blocks?.start ?? 0,
        end_block_index: blocks?.end ?? 0,
      };
    }
    case undefined:
      return undefined;
    default:
      return source satisfies never;
  }
}

function toLocation({ documentIndex = 0, title, fileId, location }: DocumentSource): object {
  const document = { document_index: documentIndex, document_title: title || null, file_id: fileId || null };
  const { start, end }: Pick<SourceRange, "start" | "end"> = location.value ?? { start: 0, end: 0 };
  switch (location.case) {
    case "pages":
      return { type: "page_location", ...document, start_page_number: start, end_page_number: end };
    case "blocks":
      return { type: "content_block_location", ...document, start_block_index: start, end_block_index: end };
    case "characters":
    case undefined:
      return { type: "char_location", ...document, start_char_index: start, end_char_index: end };
    default:
      return location satisfies never;
  }
}

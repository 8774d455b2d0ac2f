import type { MessageInitShape } from "@bufbuild/protobuf";
import type { TextPositions } from "../../chat/stream/text-positions.ts";
import type { Citation, CitationSchema } from "../../gen/dragoman/v1/citation_pb.js";

/** OpenAI's annotation of a web page. Positions are in characters; 0 to 0 means that there is none. */
export interface PageAnnotation {
  readonly url: string;
  readonly title?: string | null | undefined;
  readonly start_index?: number | null | undefined;
  readonly end_index?: number | null | undefined;
  readonly content?: string | null | undefined;
}

/** Returns the citation of an annotation that a caller sends back. `positions`: those of the text that it belongs to. */
export function toPageCitation(
  { url, title, start_index, end_index, content }: PageAnnotation,
  positions: TextPositions,
): Exclude<MessageInitShape<typeof CitationSchema>, Citation> {
  return {
    source: { case: "url", value: { url, title: title ?? "" } },
    citedText: content ?? "",
    ...positions.toBytes(start_index ?? 0, end_index ?? 0),
  };
}

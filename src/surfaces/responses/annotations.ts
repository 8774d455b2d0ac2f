import { TextPositions } from "../../chat/stream/text-positions.ts";
import { toPageCitation } from "../openai-shape/page-citation.ts";
import type { PartInit } from "./opaque.ts";

/** Annotation that a caller sends back. */
export interface BodyAnnotation {
  readonly type: string;
  readonly url?: string | null | undefined;
  readonly title?: string | null | undefined;
  readonly start_index?: number | null | undefined;
  readonly end_index?: number | null | undefined;
  readonly file_id?: string | null | undefined;
  readonly filename?: string | null | undefined;
}

/** Whether Dragoman reads an annotation. */
export function isCitation({ type, url, file_id }: BodyAnnotation): boolean {
  return (type === "url_citation" && Boolean(url)) || (type === "file_citation" && Boolean(file_id));
}

/** Returns the citations of a text. */
export function toCitations(annotations: readonly BodyAnnotation[], text: string): NonNullable<PartInit["citations"]> {
  if (annotations.length === 0) return [];
  const positions = new TextPositions();
  positions.append(text);
  return annotations.filter(isCitation).map((annotation) => {
    const { type, url, file_id, filename, title, start_index, end_index } = annotation;
    if (type === "url_citation") return toPageCitation({ url: url ?? "", title, start_index, end_index }, positions);
    return { source: { case: "document", value: { fileId: file_id ?? "", title: filename ?? "" } } };
  });
}

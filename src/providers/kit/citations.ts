import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";

/** What is known of a citation besides its source. */
interface Place {
  /** UTF-8 bytes of the part's text. Undefined if the provider reports no position. */
  readonly range?: { readonly start: number; readonly end: number } | undefined;
  readonly citedText?: string | null | undefined;
  readonly state?: ProviderState | undefined;
}

/** Creates a citation of a web page. */
export function urlCitation(url: string, title: string | null | undefined, place: Place = {}): Citation {
  return citation({ case: "url", value: { $typeName: "dragoman.v1.UrlSource", url, title: title ?? "" } }, place);
}

/** Creates a citation of a document. */
export function documentCitation(title: string | null | undefined, fileId: string, place: Place = {}): Citation {
  const value = {
    $typeName: "dragoman.v1.DocumentSource",
    title: title ?? "",
    fileId,
    location: { case: undefined },
  } as const;
  return citation({ case: "document", value }, place);
}

export function citation(source: Citation["source"], { range, citedText, state }: Place): Citation {
  return {
    $typeName: "dragoman.v1.Citation",
    citedText: citedText ?? "",
    source,
    ...range,
    ...(state && { providerState: state }),
  };
}

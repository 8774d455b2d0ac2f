import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { hasPart, partsOf } from "../../chat/planning/parts.ts";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { Message } from "../../gen/dragoman/v1/message_pb.js";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import { ExactJson } from "./exact-json.ts";
import { jsonOfState } from "./provider-state.ts";

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

/** Whether a provider that keeps its own form of a citation in the state made this one. It accepts only those back. */
function isOwn({ providerState }: Citation): boolean {
  return jsonOfState(providerState) !== undefined;
}

/** Returns the citations of a text as such a provider sent them. */
export function ownCitations(citations: readonly Citation[]): readonly ExactJson[] {
  return citations.flatMap(({ providerState }) => {
    const json = jsonOfState(providerState);
    return json === undefined ? [] : [new ExactJson(json)];
  });
}

/** Reports the first part with a citation that `isOwn` rejects, such as one that another provider made. */
export function lostCitations(messages: readonly Message[], title: string): readonly Adaptation[] {
  if (!hasPart(messages, ({ citations }) => citations.length > 0)) return [];
  const lost = partsOf(messages).find(({ part }) => !part.citations.every(isOwn));
  const message = `${title} accepts only its own citations back; others are not sent`;
  return lost === undefined ? [] : [{ kind: "LEFT_OUT", field: [...lost.path, "citations"], message }];
}

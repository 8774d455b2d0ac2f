import { TextPositions } from "../../chat/stream/text-positions.ts";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";

/** Text of one choice, which these APIs return as one content: the texts of its parts, joined. */
export class ContentText {
  readonly #positions = new TextPositions();
  /** First byte of each part, by part index. */
  readonly #starts = new Map<number, number>();
  readonly #cited: { readonly part: number; readonly citation: Citation }[] = [];

  /** Adds text of a part. */
  wrote(part: number, text: string): void {
    if (!this.#starts.has(part)) this.#starts.set(part, this.#positions.bytes);
    this.#positions.append(text);
  }

  /** Holds a citation of a part until `held`. */
  cited(part: number, citation: Citation): void {
    this.#cited.push({ part, citation });
  }

  /** Returns the annotations of the citations of `cited`. */
  held(): readonly object[] {
    return this.#cited.flatMap(({ part, citation }) => this.annotations([citation], part));
  }

  /** Returns OpenAI's annotations of web pages, with positions in characters of the content. 0 if there is none. */
  annotations(citations: readonly Citation[], part?: number): readonly object[] {
    const offset = part === undefined ? 0 : (this.#starts.get(part) ?? 0);
    const toCharacter = (byte: number | undefined) =>
      byte === undefined ? 0 : this.#positions.toCharacter(offset + byte);
    return citations.flatMap(({ source, start, end }) => {
      if (source.case !== "url") return [];
      const { url, title } = source.value;
      const place = { start_index: toCharacter(start), end_index: toCharacter(end) };
      return [{ type: "url_citation", url_citation: { ...place, url, title } }];
    });
  }
}

/** Returns `provider_metadata`, which is not one of OpenAI's fields. Empty if there is none. */
export function metadataField(json: string): object {
  return json === "" ? {} : { provider_metadata: JSON.parse(json) };
}

/** Returns the metadata of a response: `moderation`, which OpenAI's responses have, and the rest in `provider_metadata`. */
export function responseMetadata(json: string): object {
  if (json === "") return {};
  const { moderation, ...rest } = JSON.parse(json);
  return {
    ...(moderation !== undefined && { moderation }),
    ...(Object.keys(rest).length > 0 && { provider_metadata: rest }),
  };
}

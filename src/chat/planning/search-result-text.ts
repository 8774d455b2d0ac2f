import type { SearchResult } from "../../gen/dragoman/v1/message_pb.js";

/**
 * Returns a search result as text, with blank lines around it: providers join text parts without a separator. `place`
 * is the index of its part.
 */
export function searchResultText({ source, title, texts }: SearchResult, place: number): string {
  const head = [...(title === "" ? [] : [title]), `Source: ${source}`].join("\n");
  return `${place > 0 ? "\n\n" : ""}${[head, ...texts].join("\n\n")}\n\n`;
}

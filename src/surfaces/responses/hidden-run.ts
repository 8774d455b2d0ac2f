import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import { HiddenParts } from "./hidden-parts.ts";
import { encodeParts } from "./opaque.ts";
import { isWebSearch, type OpenSearch } from "./search-item.ts";

interface Search {
  readonly part: number;
  readonly callId: string;
  readonly item: OpenSearch;
}

/** Adjacent parts that no item shows, or only as a web search. They become one reasoning item. */
export class HiddenRun {
  readonly #openSearch: () => OpenSearch;
  readonly #parts = new HiddenParts();
  readonly #searches: Search[] = [];

  /** `openSearch` adds an item of a web search to the output. */
  constructor(openSearch: () => OpenSearch) {
    this.#openSearch = openSearch;
  }

  add(delta: PartDelta): void {
    const { partIndex: part, delta: fragment } = delta;
    const isFirst = !this.#parts.has(part);
    if (fragment.case === "serverToolCall") {
      const { id, name, inputJson } = fragment.value;
      if (isFirst && isWebSearch(name)) this.#searches.push({ part, callId: id, item: this.#openSearch() });
      this.#searches.find((search) => search.part === part)?.item.write(inputJson);
    } else if (fragment.case === "serverToolResult" && isFirst) {
      const { toolCallId } = fragment.value;
      this.#searches.find(({ callId, item }) => callId === toolCallId && !item.isClosed)?.item.close();
    }
    this.#parts.add(delta);
  }

  has(part: number): boolean {
    return this.#parts.has(part);
  }

  /** Ends the web searches. Returns `encrypted_content` with the parts; undefined if no request needs them. */
  close(): string | undefined {
    for (const { item } of this.#searches) if (!item.isClosed) item.close();
    const { parts } = this.#parts;
    return parts.length > 0 ? encodeParts(parts) : undefined;
  }
}

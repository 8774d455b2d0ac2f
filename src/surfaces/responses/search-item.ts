import { parseBounded } from "../../chat/validation/json-bounds.ts";
import { type Emit, emitAdded, emitDone, type OpenItem, type Place, placeOf } from "./open-item.ts";
import type { WebSearchItem } from "./wire.ts";

/** Names of web searches at providers that run them: Anthropic's, Gemini's, Groq's, OpenAI's. */
const searchNames = /web_?search|google_?search|browser_?search/i;

/** Whether a call of a provider's tool is a web search, the only one of these tools that an item shows. */
export function isWebSearch(name: string): boolean {
  return searchNames.test(name);
}

/** Web search of the output, which the provider runs. The item shows it; a reasoning item has its results. */
export class OpenSearch implements OpenItem {
  readonly id: string;
  readonly index: number;
  readonly #emit: Emit;
  #input = "";
  #status: WebSearchItem["status"] = "in_progress";

  constructor({ id, index }: Place, emit: Emit) {
    this.id = id;
    this.index = index;
    this.#emit = emit;
    emitAdded(emit, this, this.item);
    emit({ type: "response.web_search_call.in_progress", ...placeOf(this) });
    emit({ type: "response.web_search_call.searching", ...placeOf(this) });
  }

  get item(): WebSearchItem {
    const query = this.isClosed ? queryOf(this.#input) : "";
    return { id: this.id, type: "web_search_call", status: this.#status, action: { type: "search", query } };
  }

  write(inputJson: string): void {
    this.#input += inputJson;
  }

  get isClosed(): boolean {
    return this.#status === "completed";
  }

  close(): void {
    this.#status = "completed";
    this.#emit({ type: "response.web_search_call.completed", ...placeOf(this) });
    emitDone(this.#emit, this, this.item);
  }
}

/** Returns the query in the input of a search. Empty if there is none. */
function queryOf(inputJson: string): string {
  try {
    const input: unknown = parseBounded(inputJson);
    if (typeof input !== "object" || input === null) return "";
    const { query, queries } = input as { readonly query?: unknown; readonly queries?: unknown };
    const first = typeof query === "string" ? query : Array.isArray(queries) ? queries[0] : undefined;
    return typeof first === "string" ? first : "";
  } catch {
    return "";
  }
}

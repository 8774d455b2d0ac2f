import { z } from "zod";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import { urlCitation } from "../kit/citations.ts";
import { Metadata, otherFields } from "../kit/metadata.ts";
import { isOtherModel } from "../kit/other-model.ts";
import { chunkFields } from "./known-fields.ts";

/** `citations` of a response: URLs without a place in the text (Perplexity, xAI). */
const urlList = z.array(z.string()).nullish().catch(undefined);

/** `search_results` of a response (Perplexity). */
const resultList = z
  .array(z.object({ url: z.string().min(1), title: z.string().nullish(), snippet: z.string().nullish() }))
  .nullish()
  .catch(undefined);

/** Maximum number of sources. Perplexity has at most 20. */
const mostSources = 1_000;

/** Fields of Groq's `x_groq` that Dragoman reads, or that say nothing to a caller. */
const groqFields: ReadonlySet<string> = new Set(["id", "usage"]);

/** Facts of a whole response that only some servers send. Each chunk repeats all of them so far. */
export class ResponseFacts {
  readonly metadata = new Metadata();
  sources: readonly Citation[] = [];

  read(chunk: Readonly<Record<string, unknown>>, requestedModel: string): void {
    if (chunk.citations || chunk.search_results) {
      const sources = sourcesOf(chunk.citations, chunk.search_results);
      if (sources.length > 0) this.sources = sources;
    }
    for (const [name, value] of otherFields(chunk, chunkFields)) this.metadata.add(name, value);
    // A citation has no field for the dates of search results.
    this.metadata.add("search_results", chunk.search_results);
    if (chunk.x_groq) this.metadata.add("x_groq", Object.fromEntries(otherFields(chunk.x_groq, groqFields)));
    const { model } = chunk;
    if (typeof model === "string" && isOtherModel(model, requestedModel)) this.metadata.add("model", model);
  }
}

/** Returns the sources that a chunk lists. The search results have more of each source than the list of URLs. */
function sourcesOf(citations: unknown, searchResults: unknown): readonly Citation[] {
  const results = resultList.parse(searchResults) ?? [];
  const urls = urlList.parse(citations) ?? [];
  const known = new Set(results.map(({ url }) => url));
  const sources = results.map(({ url, title, snippet }) => urlCitation(url, title, { citedText: snippet }));
  const others = urls.filter((url) => !known.has(url)).map((url) => urlCitation(url, ""));
  return [...sources, ...others].slice(0, mostSources);
}

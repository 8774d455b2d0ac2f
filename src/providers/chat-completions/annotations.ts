import { z } from "zod";
import { type ChatEvent, citationDelta } from "../../chat/stream/events.ts";
import { TextPositions } from "../../chat/stream/text-positions.ts";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { documentCitation, urlCitation } from "../kit/citations.ts";
import { stateOf } from "../kit/provider-state.ts";

const text = z.string().nullish().catch(undefined);
const position = z.number().int().nonnegative().nullish().catch(undefined);

/** OpenAI's annotation, with the quoted text that OpenRouter adds. Positions are in characters. */
const urlAnnotation = z.object({
  url: z.string().min(1),
  title: text,
  content: text,
  start_index: position,
  end_index: position,
});

// OpenAI's Chat Completions nest the fields; its Responses, which some servers imitate, do not.
const nestedAnnotation = z.object({ url_citation: urlAnnotation });

/** OpenRouter's annotation of a parsed file, which spares the next request to parse the file again. */
const fileAnnotation = z.object({ type: z.literal("file"), file: z.object({ hash: z.string(), name: text }) });

/** Maximum number of annotations that wait for their text. */
const mostWaiting = 1_000;

type Annotation = z.infer<typeof urlAnnotation>;

/** Converts the annotations of one choice to citations of its text. */
export class Annotations {
  readonly #call: UpstreamCall;
  readonly #choiceIndex: number;
  readonly #positions = new TextPositions();
  #waiting: Annotation[] = [];
  #files: Citation[] = [];

  constructor(call: UpstreamCall, choiceIndex: number) {
    this.#call = call;
    this.#choiceIndex = choiceIndex;
  }

  /** Adds text of the choice, to which the positions refer. */
  wrote(text: string): void {
    this.#positions.append(text);
  }

  /** Reads an annotation. Returns false if its kind is unknown. `textPart` is undefined before the text begins. */
  read(value: unknown, textPart: number | undefined, batch: ChatEvent[]): boolean {
    const file = fileAnnotation.safeParse(value);
    if (file.success) {
      const { hash, name } = file.data.file;
      const citation = documentCitation(name, hash, { state: stateOf(this.#call, Buffer.from(JSON.stringify(value))) });
      if (textPart === undefined) this.#files.push(citation);
      else batch.push(citationDelta(this.#choiceIndex, textPart, citation));
      return true;
    }
    const nested = nestedAnnotation.safeParse(value);
    const { data: annotation } = nested.success ? { data: nested.data.url_citation } : urlAnnotation.safeParse(value);
    if (annotation === undefined) return false;
    const range = this.#rangeOf(annotation);
    // Some servers send the annotations before the text.
    const waits = textPart === undefined || (range === undefined && hasRange(annotation));
    if (textPart === undefined || (waits && this.#waiting.length < mostWaiting)) this.#waiting.push(annotation);
    else batch.push(citationDelta(this.#choiceIndex, textPart, toCitation(annotation, range)));
    return true;
  }

  /** Appends the citations that waited for text. Without text, returns them as sources of the choice. */
  end(textPart: number | undefined, batch: ChatEvent[]): readonly Citation[] {
    const rest = [
      ...this.#waiting.map((annotation) => toCitation(annotation, this.#rangeOf(annotation))),
      ...this.#files,
    ];
    this.#waiting = [];
    this.#files = [];
    if (textPart === undefined) return rest;
    for (const citation of rest) batch.push(citationDelta(this.#choiceIndex, textPart, citation));
    return [];
  }

  #rangeOf({ start_index: start, end_index: end }: Annotation) {
    return this.#positions.toBytes(start ?? -1, end ?? -1);
  }
}

function hasRange({ start_index: start, end_index: end }: Annotation): boolean {
  return (start ?? 0) < (end ?? 0);
}

function toCitation({ url, title, content }: Annotation, range: ReturnType<TextPositions["toBytes"]>): Citation {
  return urlCitation(url, title, { range, citedText: content });
}

import { TextPositions } from "../../chat/stream/text-positions.ts";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import { type Emit, emitAdded, emitDone, type OpenItem, type Place, placeOf } from "./open-item.ts";
import type { Annotation, ItemStatus, MessageItem, OutputContent, TokenLogprob } from "./wire.ts";

type ContentKind = "text" | "refusal";

/** Content of a message: the text or the refusal of one part. */
interface Content {
  readonly part: number;
  readonly kind: ContentKind;
  text: string;
  readonly annotations: Annotation[];
  /** Sources of text that has not come, and those after them. */
  readonly held: Citation[];
  readonly logprobs: TokenLogprob[];
  readonly positions: TextPositions;
}

/** Message of the output: adjacent text and refusal parts, each as one content. */
export class OpenMessage implements OpenItem {
  readonly id: string;
  readonly index: number;
  readonly #emit: Emit;
  readonly #contents: Content[] = [];
  #isOpen = false;
  #status: ItemStatus = "in_progress";

  constructor({ id, index }: Place, emit: Emit) {
    this.id = id;
    this.index = index;
    this.#emit = emit;
    emitAdded(emit, this, this.item);
  }

  get item(): MessageItem {
    const content = this.#contents.map(toContent);
    return { id: this.id, type: "message", status: this.#status, role: "assistant", content };
  }

  write(part: number, kind: ContentKind, text: string, logprobs: readonly TokenLogprob[]): void {
    const content = this.#contentFor(part, kind);
    content.text += text;
    content.positions.append(text);
    for (const token of logprobs) content.logprobs.push(token);
    const place = { ...placeOf(this), content_index: this.#contents.length - 1 };
    if (kind === "refusal") this.#emit({ type: "response.refusal.delta", ...place, delta: text });
    else this.#emit({ type: "response.output_text.delta", ...place, delta: text, logprobs });
  }

  /** Adds a source to the text of a part; without a part, to the last text. */
  cite(citation: Citation, part?: number): void {
    const at = this.#contents.findLastIndex(
      (content) => content.kind === "text" && (part === undefined || content.part === part),
    );
    const content = this.#contents[at];
    if (content === undefined) return;
    const isOpen = this.#isOpen && at === this.#contents.length - 1;
    const isEarly = (citation.end ?? 0) > content.positions.bytes;
    if (isOpen && (isEarly || content.held.length > 0)) content.held.push(citation);
    else this.#annotate(content, at, citation, isOpen);
  }

  #annotate(content: Content, at: number, citation: Citation, isOpen: boolean): void {
    const annotation = toAnnotation(citation, content.positions);
    if (annotation === undefined) return;
    content.annotations.push(annotation);
    if (!isOpen) return;
    this.#emit({
      type: "response.output_text.annotation.added",
      ...placeOf(this),
      content_index: at,
      annotation_index: content.annotations.length - 1,
      annotation,
    });
  }

  close(status: Exclude<ItemStatus, "in_progress">): void {
    this.#closeContent();
    this.#status = status;
    emitDone(this.#emit, this, this.item);
  }

  /** Texts and refusals of the message, with the parts that they belong to. */
  get contents(): readonly Pick<Content, "part" | "kind" | "text">[] {
    return this.#contents;
  }

  #contentFor(part: number, kind: ContentKind): Content {
    const last = this.#contents.at(-1);
    if (this.#isOpen && last?.part === part && last.kind === kind) return last;
    this.#closeContent();
    const content = { part, kind, text: "", annotations: [], held: [], logprobs: [], positions: new TextPositions() };
    this.#contents.push(content);
    this.#isOpen = true;
    this.#emit({
      type: "response.content_part.added",
      ...placeOf(this),
      content_index: this.#contents.length - 1,
      part: toContent(content),
    });
    return content;
  }

  #closeContent(): void {
    const last = this.#contents.at(-1);
    if (!this.#isOpen || last === undefined) return;
    for (const citation of last.held) this.#annotate(last, this.#contents.length - 1, citation, true);
    this.#isOpen = false;
    const place = { ...placeOf(this), content_index: this.#contents.length - 1 };
    const { text, logprobs } = last;
    if (last.kind === "refusal") this.#emit({ type: "response.refusal.done", ...place, refusal: text });
    else this.#emit({ type: "response.output_text.done", ...place, text, logprobs: [...logprobs] });
    this.#emit({ type: "response.content_part.done", ...place, part: toContent(last) });
  }
}

function toContent({ kind, text, annotations, logprobs }: Content): OutputContent {
  return kind === "refusal"
    ? { type: "refusal", refusal: text }
    : { type: "output_text", text, annotations: [...annotations], logprobs: [...logprobs] };
}

/** Whether the API has an annotation for a source. */
export function hasAnnotation(source: Citation["source"]): boolean {
  return source.case === "url" || (source.case === "document" && source.value.fileId !== "");
}

/** Returns the annotation of a citation, with 0 to 0 for a citation without a position. Undefined: the API has none. */
function toAnnotation({ source, start, end }: Citation, positions: TextPositions): Annotation | undefined {
  const toCharacter = (byte = 0) => (byte === 0 ? 0 : positions.toCharacter(byte));
  if (!hasAnnotation(source)) return undefined;
  switch (source.case) {
    case "url": {
      const { url, title } = source.value;
      return { type: "url_citation", url, title, start_index: toCharacter(start), end_index: toCharacter(end) };
    }
    case "document": {
      const { fileId, title } = source.value;
      return { type: "file_citation", file_id: fileId, filename: title, index: toCharacter(end) };
    }
    default:
      return undefined;
  }
}

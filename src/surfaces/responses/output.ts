import { GatewayError } from "../../errors.ts";
import type { ChoiceFinished, PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import { OpenCall } from "./call-item.ts";
import { HiddenRun } from "./hidden-run.ts";
import { isShownImage, OpenImage } from "./image-item.ts";
import { tokensOf } from "./logprobs.ts";
import { OpenMessage } from "./message-item.ts";
import { keyPart } from "./opaque.ts";
import type { Emit, OpenItem, Place } from "./open-item.ts";
import { OpenReasoning } from "./reasoning-item.ts";
import { References } from "./references.ts";
import { OpenSearch } from "./search-item.ts";
import type { ToolNames } from "./tool-names.ts";
import type { OutputItem } from "./wire.ts";

type Delta<Case extends PartDelta["delta"]["case"]> = Extract<PartDelta["delta"], { case: Case }>["value"];

/**
 * Turns the deltas of a choice into the items of a response and their events. Text, reasoning and images end when the
 * next item begins, as clients expect, so a late delta of an ended part begins a new item. Tool calls stay open until
 * their arguments are complete, since a client cannot join the arguments of two items.
 */
export class ResponseOutput {
  readonly #base: string;
  readonly #tools: ToolNames;
  readonly #emit: Emit;
  readonly #items: OpenItem[] = [];
  readonly #references = new References();
  readonly #calls = new Map<number, { readonly item: OpenCall; isOpen: boolean }>();
  #message: OpenMessage | undefined;
  #reasoning: OpenReasoning | undefined;
  #image: OpenImage | undefined;
  #hidden: HiddenRun | undefined;
  /** State of a text part whose text has not come. */
  #textless: { readonly part: number; readonly deltas: PartDelta[] } | undefined;

  /**
   * @param base makes the ids of items unique
   * @param tools names of the tools of the request
   */
  constructor(base: string, tools: ToolNames, emit: Emit) {
    this.#base = base;
    this.#tools = tools;
    this.#emit = emit;
  }

  get items(): readonly OutputItem[] {
    return this.#items.map(({ item }) => item);
  }

  /** Whether the response has a refusal. */
  get isRefused(): boolean {
    return this.#items.some(
      (item) => item instanceof OpenMessage && item.contents.some(({ kind }) => kind === "refusal"),
    );
  }

  add(delta: PartDelta): void {
    const { partIndex: part, delta: fragment } = delta;
    switch (fragment.case) {
      case "text":
      case "refusal":
        this.#addText(delta, fragment.case, fragment.value);
        break;
      case "reasoning":
        this.#addReasoning(delta, fragment.value);
        break;
      case "toolCall":
        this.#addCall(delta, fragment.value);
        break;
      case "media":
        this.#addMedia(delta, fragment.value);
        break;
      case "serverToolCall":
      case "serverToolResult":
        this.#hiddenRun().add(delta);
        break;
      case "citation":
        this.#references.of(part).citations.push(fragment.value);
        this.#messageOf(part)?.cite(fragment.value, part);
        break;
      case undefined:
        break;
      default:
        fragment satisfies never;
    }
  }

  /** Ends the output. `isIncomplete`: the last item is cut off. */
  finish({ sources }: Pick<ChoiceFinished, "sources">, isIncomplete: boolean): void {
    const message = this.#message ?? this.#items.findLast((item) => item instanceof OpenMessage);
    for (const source of sources) message?.cite(source);
    const last = this.#items.at(-1);
    const open = [...this.#openCalls(), this.#message, this.#image].filter((item) => item !== undefined);
    this.#reasoning?.close();
    for (const item of open.sort((one, other) => one.index - other.index)) {
      item.close(isIncomplete && item === last ? "incomplete" : "completed");
    }
    this.#message = this.#image = this.#reasoning = undefined;
    this.#hideTextless();
    this.#closeHidden();
    const references = this.#references.encode();
    if (references !== undefined) this.#addOpaque(references);
  }

  #addText(delta: PartDelta, kind: "text" | "refusal", text: string): void {
    const { partIndex: part, providerState, logprobs } = delta;
    const tokens = tokensOf(logprobs);
    const isEmpty = text === "" && tokens.length === 0;
    if (this.#textless !== undefined && this.#textless.part !== part) this.#hideTextless();
    if (isEmpty && providerState === undefined) return;
    if (isEmpty && this.#messageOf(part) === undefined) {
      this.#textless ??= { part, deltas: [] };
      this.#textless.deltas.push(delta);
      return;
    }
    const facts = this.#references.of(part);
    for (const { providerState: earlier } of this.#textless?.deltas ?? []) if (earlier) facts.states.push(earlier);
    this.#textless = undefined;
    if (providerState !== undefined) facts.states.push(providerState);
    if (isEmpty) return;
    if (this.#message === undefined) {
      this.#begin();
      this.#message = this.#append((place) => new OpenMessage(place, this.#emit), "msg");
    }
    this.#message.write(part, kind, text, tokens);
    if (facts.key !== undefined) return;
    // Claude sends the sources of a text before the text.
    for (const citation of facts.citations) this.#message.cite(citation, part);
    const keyOfText = () => {
      const content = this.#messageOf(part)?.contents.findLast((entry) => entry.part === part);
      return content && keyPart({ case: content.kind, value: content.text });
    };
    facts.key = keyOfText;
  }

  #addReasoning({ partIndex: part, providerState }: PartDelta, reasoning: Delta<"reasoning">): void {
    if (reasoning.text === "" && !reasoning.redacted && providerState === undefined) return;
    if (this.#reasoning?.part !== part) {
      this.#begin();
      this.#reasoning = this.#append((place) => new OpenReasoning(place, this.#emit, part), "rs");
    }
    this.#reasoning.write(reasoning, providerState);
  }

  #addCall({ partIndex: part, providerState }: PartDelta, { id, name, argumentsJson }: Delta<"toolCall">): void {
    const facts = this.#references.of(part);
    if (providerState !== undefined) facts.states.push(providerState);
    let call = this.#calls.get(part);
    if (call === undefined) {
      this.#begin();
      const tool = this.#tools.of(name);
      call = {
        item: this.#append((place) => new OpenCall(place, id, tool, this.#emit), tool.isCustom ? "ctc" : "fc"),
        isOpen: true,
      };
      this.#calls.set(part, call);
      const keyOfCall = () => keyPart({ case: "toolCall", value: { id } });
      facts.key = keyOfCall;
    }
    if (call.isOpen) call.item.write(argumentsJson);
    else if (argumentsJson.trim() !== "") throw continued("a tool call");
  }

  #addMedia(delta: PartDelta, media: Delta<"media">): void {
    const { partIndex: part, providerState } = delta;
    if (this.#image?.part !== part) {
      if (this.#references.of(part).key !== undefined) throw continued("an image");
      if (this.#hidden?.has(part) || !isShownImage(media)) {
        this.#hiddenRun().add(delta);
        return;
      }
      this.#begin();
      const image = this.#append((place) => new OpenImage(place, part, media, this.#emit), "ig");
      this.#image = image;
      const keyOfImage = () => keyPart({ case: "media", value: { source: { case: "data", value: image.bytes } } });
      this.#references.of(part).key = keyOfImage;
    }
    if (providerState !== undefined) this.#references.of(part).states.push(providerState);
    this.#image.write(media);
  }

  /** Without its text, the client has to send back the state of an empty part. */
  #hideTextless(): void {
    const { deltas } = this.#textless ?? { deltas: [] };
    this.#textless = undefined;
    for (const delta of deltas) this.#hiddenRun().add(delta);
  }

  #hiddenRun(): HiddenRun {
    this.#hideTextless();
    if (this.#hidden === undefined) {
      this.#begin();
      this.#hidden = new HiddenRun(() => this.#append((place) => new OpenSearch(place, this.#emit), "ws"));
    }
    return this.#hidden;
  }

  /** Ends the items that end when another one begins. */
  #begin(): void {
    this.#hideTextless();
    for (const call of this.#calls.values()) {
      if (!call.isOpen || !call.item.isComplete) continue;
      call.isOpen = false;
      call.item.close("completed");
    }
    this.#message?.close("completed");
    this.#image?.close();
    this.#reasoning?.close();
    this.#message = this.#image = this.#reasoning = undefined;
    this.#closeHidden();
  }

  *#openCalls(): Generator<OpenCall> {
    for (const call of this.#calls.values()) {
      if (call.isOpen) yield call.item;
      call.isOpen = false;
    }
  }

  #closeHidden(): void {
    const encrypted = this.#hidden?.close();
    this.#hidden = undefined;
    if (encrypted !== undefined) this.#addOpaque(encrypted);
  }

  #addOpaque(encrypted: string): void {
    const item = this.#append((place) => new OpenReasoning(place, this.#emit), "rs");
    item.seal(encrypted);
    item.close();
  }

  #append<Item extends OpenItem>(make: (place: Place) => Item, prefix: string): Item {
    const index = this.#items.length;
    const item = make({ id: `${prefix}_${this.#base}${index.toString(16).padStart(4, "0")}`, index });
    this.#items.push(item);
    return item;
  }

  /** Returns the last message with content of a part. */
  #messageOf(part: number): OpenMessage | undefined {
    return this.#items.findLast(
      (item) => item instanceof OpenMessage && item.contents.some((content) => content.part === part),
    ) as OpenMessage | undefined;
  }
}

function continued(what: string): GatewayError {
  return new GatewayError("PROVIDER_STREAM_INTERRUPTED", `the provider continued ${what} after its end`);
}

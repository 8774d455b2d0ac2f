import { expect } from "vitest";

/** Event of a stream, as a client of the Responses API reads it. */
export interface WireEvent {
  readonly type: string;
  readonly sequence_number: number;
  readonly output_index?: number;
  readonly item_id?: string;
  readonly content_index?: number;
  readonly annotation_index?: number;
  readonly delta?: string;
  readonly text?: string;
  readonly refusal?: string;
  readonly arguments?: string;
  readonly input?: string;
  readonly item?: WireItem;
  readonly part?: WireContent;
  readonly annotation?: object;
  readonly response?: { readonly status: string; readonly output: readonly WireItem[] } & Readonly<
    Record<string, unknown>
  >;
}

export interface WireContent {
  readonly type: string;
  readonly text?: string;
  readonly refusal?: string;
  readonly annotations?: readonly object[];
}

export type WireItem = { readonly id: string; readonly type: string } & Readonly<Record<string, unknown>>;

interface OpenContent {
  text: string;
  readonly annotations: object[];
  isOpen: boolean;
}

interface ItemState {
  readonly item: WireItem;
  isOpen: boolean;
  readonly contents: OpenContent[];
  summary: string | undefined;
  text: string;
  isTextDone: boolean;
}

const ends = new Set(["response.completed", "response.incomplete", "response.failed"]);

/** Item type that an event belongs to. */
const typeOfEvent: Readonly<Record<string, string>> = {
  "response.content_part.added": "message",
  "response.content_part.done": "message",
  "response.output_text.delta": "message",
  "response.output_text.annotation.added": "message",
  "response.output_text.done": "message",
  "response.refusal.delta": "message",
  "response.refusal.done": "message",
  "response.reasoning_summary_part.added": "reasoning",
  "response.reasoning_summary_part.done": "reasoning",
  "response.reasoning_summary_text.delta": "reasoning",
  "response.reasoning_summary_text.done": "reasoning",
  "response.function_call_arguments.delta": "function_call",
  "response.function_call_arguments.done": "function_call",
  "response.custom_tool_call_input.delta": "custom_tool_call",
  "response.custom_tool_call_input.done": "custom_tool_call",
  "response.web_search_call.in_progress": "web_search_call",
  "response.web_search_call.searching": "web_search_call",
  "response.web_search_call.completed": "web_search_call",
  "response.image_generation_call.in_progress": "image_generation_call",
  "response.image_generation_call.generating": "image_generation_call",
  "response.image_generation_call.completed": "image_generation_call",
};

/**
 * Checks a whole stream against the rules of the Responses API: the order and the numbers of its events, that each item
 * and content begins once and ends once, and that the texts of the ends are the joined deltas. Returns the response of
 * the last event.
 */
export function checkEvents(events: readonly WireEvent[]): NonNullable<WireEvent["response"]> {
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
  expect(events.slice(0, 2).map(({ type }) => type)).toEqual(["response.created", "response.in_progress"]);
  const last = events.at(-1);
  expect(ends).toContain(last?.type);
  const items: ItemState[] = [];
  for (const event of events.slice(2, -1)) checkOutputEvent(event, items);
  const response = last?.response;
  if (response === undefined) throw new Error("the last event has no response");
  expect(last?.type).toBe(`response.${response.status}`);
  if (response.status !== "failed") expect(items.filter(({ isOpen }) => isOpen)).toEqual([]);
  expect(response.output.map(({ id }) => id)).toEqual(items.map(({ item }) => item.id));
  expect(new Set(items.map(({ item }) => item.id)).size).toBe(items.length);
  return response;
}

function checkOutputEvent(event: WireEvent, items: ItemState[]): void {
  const { type, output_index: index = -1 } = event;
  if (type === "response.output_item.added") {
    expect(index).toBe(items.length);
    const item = event.item ?? { id: "", type: "" };
    items.push({ item, isOpen: true, contents: [], summary: undefined, text: "", isTextDone: false });
    return;
  }
  const state = items[index];
  if (state === undefined) throw new Error(`${type} is about an item that has not begun`);
  expect(state.isOpen, `${type} comes after the end of its item`).toBe(true);
  if (type === "response.output_item.done") {
    checkDone(event.item ?? state.item, state);
    state.isOpen = false;
    return;
  }
  expect(typeOfEvent[type], `the type of ${type}`).toBe(state.item.type);
  expect(event.item_id).toBe(state.item.id);
  checkInner(event, state);
}

function checkInner(event: WireEvent, state: ItemState): void {
  const { type, content_index: at = -1, delta = "" } = event;
  const content = state.contents[at];
  switch (type.replace("response.", "")) {
    case "content_part.added":
      expect(at).toBe(state.contents.length);
      expect(state.contents.every(({ isOpen }) => !isOpen)).toBe(true);
      expect(event.part?.text ?? event.part?.refusal).toBe("");
      state.contents.push({ text: "", annotations: [], isOpen: true });
      return;
    case "output_text.delta":
    case "refusal.delta":
      expect(content?.isOpen).toBe(true);
      if (content) content.text += delta;
      return;
    case "output_text.annotation.added":
      expect(content?.isOpen).toBe(true);
      expect(event.annotation_index).toBe(content?.annotations.length);
      content?.annotations.push(event.annotation ?? {});
      return;
    case "output_text.done":
    case "refusal.done":
      expect(event.text ?? event.refusal).toBe(content?.text);
      return;
    case "content_part.done":
      expect(event.part?.text ?? event.part?.refusal).toBe(content?.text);
      if (event.part?.type === "output_text") expect(event.part.annotations).toEqual(content?.annotations);
      if (content) content.isOpen = false;
      return;
    case "reasoning_summary_part.added":
      expect(state.summary).toBeUndefined();
      state.summary = "";
      return;
    case "reasoning_summary_text.delta":
      expect(state.summary).toBeDefined();
      state.summary += delta;
      return;
    case "reasoning_summary_text.done":
      expect(event.text).toBe(state.summary);
      return;
    case "reasoning_summary_part.done":
      expect(event.part?.text).toBe(state.summary);
      return;
    case "function_call_arguments.delta":
    case "custom_tool_call_input.delta":
      expect(state.isTextDone).toBe(false);
      state.text += delta;
      return;
    case "function_call_arguments.done":
    case "custom_tool_call_input.done":
      expect(event.arguments ?? event.input).toBe(state.text);
      state.isTextDone = true;
      return;
  }
}

function checkDone(item: WireItem, state: ItemState): void {
  expect({ id: item.id, type: item.type }).toEqual({ id: state.item.id, type: state.item.type });
  expect(state.contents.filter(({ isOpen }) => isOpen)).toEqual([]);
  switch (item.type) {
    case "message": {
      const contents = item.content as readonly WireContent[];
      expect(contents.map(({ text, refusal }) => text ?? refusal)).toEqual(state.contents.map(({ text }) => text));
      expect(["completed", "incomplete"]).toContain(item.status);
      return;
    }
    case "reasoning":
      expect(item.summary).toEqual(state.summary === undefined ? [] : [{ type: "summary_text", text: state.summary }]);
      return;
    case "function_call":
    case "custom_tool_call":
      expect(state.isTextDone).toBe(true);
      expect(item.arguments ?? item.input).toBe(state.text);
      return;
    default:
      expect(item.status).toBe("completed");
  }
}

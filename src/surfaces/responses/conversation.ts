import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ReportViolation } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import { type Message, type MessageSchema, Role } from "../../gen/dragoman/v1/message_pb.js";
import { mediaSource } from "../kit/data-uri.ts";
import { toJsonText } from "../kit/json-values.ts";
import { toCitations } from "./annotations.ts";
import { callPart, resultPart } from "./calls.ts";
import { inputParts, type PlacedPart } from "./content.ts";
import { imageTypeOf } from "./image-item.ts";
import type { AssistantItem, BodyItem, HostedItem, ImageInput, ReasoningInput } from "./items.ts";
import { decodeOpaque, isOwn, keyPart, keyText, type PartInit } from "./opaque.ts";
import { isWebSearch } from "./search-item.ts";

type MessageInit = Exclude<MessageInitShape<typeof MessageSchema>, Message>;

/** Messages of the contract, and the path in the body of each of their parts. */
export interface Conversation {
  readonly messages: readonly MessageInit[];
  readonly places: readonly (readonly FieldPath[])[];
}

/** Provider of encrypted reasoning and of items of hosted tools that Dragoman did not make. */
const openai = "openai";

const roles = { user: Role.USER, system: Role.SYSTEM, developer: Role.DEVELOPER } as const;

/** Translates `instructions` and `input`. Returns violations for reasoning items that somebody has changed. */
export function readConversation(
  instructions: string | null | undefined,
  input: string | readonly BodyItem[],
  report: ReportViolation,
): Conversation {
  const conversation = new ConversationReader();
  if (instructions) conversation.begin(Role.SYSTEM, [{ part: textPart(instructions), place: ["instructions"] }]);
  if (typeof input === "string") conversation.begin(Role.USER, [{ part: textPart(input), place: ["input"] }]);
  else for (const [index, item] of input.entries()) readItem(conversation, item, ["input", index], report);
  return conversation.end();
}

function textPart(text: string): PartInit {
  return { kind: { case: "text", value: text } };
}

function readItem(conversation: ConversationReader, item: BodyItem, path: FieldPath, report: ReportViolation): void {
  switch (item.type) {
    case "message":
      if (item.role === "assistant") conversation.say(within(path, assistantParts(item)));
      else conversation.begin(roles[item.role], within(path, inputParts(item.content)));
      return;
    case "reasoning":
      readReasoning(conversation, item, path, report);
      return;
    case "function_call":
    case "custom_tool_call":
    case "local_shell_call":
    case "shell_call":
    case "apply_patch_call":
    case "computer_call":
      conversation.say([{ part: callPart(item), place: path }]);
      return;
    case "function_call_output":
    case "custom_tool_call_output":
    case "local_shell_call_output":
    case "shell_call_output":
    case "apply_patch_call_output":
    case "computer_call_output":
      conversation.answer([{ part: resultPart(item), place: path }]);
      return;
    case "image_generation_call":
      conversation.say(imageParts(item, path));
      return;
    case "web_search_call":
    case "file_search_call":
    case "code_interpreter_call":
    case "mcp_list_tools":
    case "mcp_call":
      conversation.sayHosted(hostedPart(item), item.type, path);
      return;
    default:
      item satisfies never;
  }
}

function within(path: FieldPath, parts: readonly PlacedPart[]): readonly PlacedPart[] {
  return parts.map(({ part, place }) => ({ part, place: [...path, ...place] }));
}

function assistantParts({ content }: AssistantItem): readonly PlacedPart[] {
  if (typeof content === "string") return content === "" ? [] : [{ part: textPart(content), place: ["content"] }];
  return content.map((part, index) => {
    const place = ["content", index];
    if (part.type === "refusal") return { part: { kind: { case: "refusal", value: part.refusal } }, place };
    const citations = part.type === "output_text" ? toCitations(part.annotations ?? [], part.text) : [];
    return { part: { ...textPart(part.text), ...(citations.length > 0 && { citations }) }, place };
  });
}

function readReasoning(
  conversation: ConversationReader,
  { summary, content, encrypted_content: encrypted, ...rest }: ReasoningInput,
  path: FieldPath,
  report: ReportViolation,
): void {
  if (encrypted && isOwn(encrypted)) {
    const opaque = decodeOpaque(encrypted);
    if (opaque === undefined) {
      report([...path, "encrypted_content"], "is not as Dragoman sent it; send reasoning items back unchanged");
    } else if (opaque.areReferences) conversation.refer(opaque.parts);
    else conversation.sayOpaque(opaque.parts, path);
    return;
  }
  const text = [...(summary ?? []), ...(content ?? [])].map((entry) => entry.text).join("\n\n");
  if (text === "" && !encrypted) return;
  const item = { ...rest, summary, ...(content && { content }), encrypted_content: encrypted };
  const providerState = encrypted && { provider: openai, data: Buffer.from(toJsonText(item)) };
  const kind = { case: "reasoning", value: { text } } as const;
  conversation.say([{ part: { kind, ...(providerState && { providerState }) }, place: path }]);
}

function imageParts({ result, output_format }: ImageInput, path: FieldPath): readonly PlacedPart[] {
  if (!result) return [];
  const value = mediaSource(`data:${imageTypeOf(output_format)};base64,${result}`);
  return [{ part: { kind: { case: "media", value } }, place: [...path, "result"] }];
}

function hostedPart(item: HostedItem): PartInit {
  const json = toJsonText(item);
  return {
    kind: { case: "serverToolCall", value: { id: item.id ?? "", name: item.type, inputJson: json } },
    providerState: { provider: openai, data: Buffer.from(json) },
  };
}

interface TurnPart {
  part: PartInit;
  readonly place: FieldPath;
  /** Whether the part is an item that may only show a web search. */
  readonly isSearch?: boolean;
}

interface Turn {
  readonly role: Role;
  readonly parts: TurnPart[];
}

/** Collects items into messages: adjacent items of the model become one message, and adjacent results of tools one. */
class ConversationReader {
  readonly #turns: Turn[] = [];
  readonly #byKey = new Map<string, TurnPart[]>();
  readonly #unkeyed: TurnPart[] = [];
  /** References without a part so far. */
  readonly #early: PartInit[] = [];

  begin(role: Role, parts: readonly PlacedPart[]): void {
    this.#turns.push({ role, parts: [...parts] });
  }

  say(parts: readonly PlacedPart[]): void {
    this.#extend(Role.ASSISTANT, parts);
  }

  answer(parts: readonly PlacedPart[]): void {
    this.#extend(Role.TOOL, parts);
  }

  sayHosted(part: PartInit, type: string, place: FieldPath): void {
    this.#extend(Role.ASSISTANT, [{ part, place, ...(type === "web_search_call" && { isSearch: true }) }]);
  }

  /** Adds whole parts of a response. They replace the items that only showed their web searches. */
  sayOpaque(parts: readonly PartInit[], place: FieldPath): void {
    const turn = this.#turns.at(-1);
    if (turn?.role === Role.ASSISTANT) {
      for (const { kind } of parts) {
        if (kind?.case !== "serverToolCall" || !isWebSearch(kind.value.name ?? "")) continue;
        const shown = turn.parts.findIndex(({ isSearch }) => isSearch);
        if (shown >= 0) turn.parts.splice(shown, 1);
      }
    }
    this.say(parts.map((part) => ({ part, place })));
  }

  /** Adds state and citations to the last parts with the keys of references. */
  refer(references: readonly PartInit[]): void {
    this.#indexKeys();
    for (const reference of references.toReversed()) {
      const placed = this.#byKey.get(keyText(reference.kind))?.pop();
      if (placed === undefined) this.#early.push(reference);
      else placed.part = withReference(placed.part, reference);
    }
  }

  end(): Conversation {
    // A client may send the reasoning items of a response before its other items.
    if (this.#early.length > 0) this.refer(this.#early.splice(0).toReversed());
    return {
      messages: this.#turns.map(({ role, parts }) => ({ role, parts: parts.map(({ part }) => part) })),
      places: this.#turns.map(({ parts }) => parts.map(({ place }) => place)),
    };
  }

  /** Indexes the model's parts since the last call by their keys. Hashes no text of a conversation without references. */
  #indexKeys(): void {
    for (const placed of this.#unkeyed.splice(0)) {
      const key = keyText(keyPart(placed.part.kind));
      const same = this.#byKey.get(key) ?? [];
      same.push(placed);
      this.#byKey.set(key, same);
    }
  }

  #extend(role: Role, parts: readonly Readonly<TurnPart>[]): void {
    if (parts.length === 0) return;
    const last = this.#turns.at(-1);
    const turn: Turn = last?.role === role ? last : { role, parts: [] };
    if (turn !== last) this.#turns.push(turn);
    for (const placed of parts) {
      const added = { ...placed };
      turn.parts.push(added);
      if (role === Role.ASSISTANT) this.#unkeyed.push(added);
    }
  }
}

function withReference(part: PartInit, { providerState, citations = [] }: PartInit): PartInit {
  return {
    ...part,
    ...(providerState && { providerState }),
    ...(citations.length > 0 && { citations }),
  };
}

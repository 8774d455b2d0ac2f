import type { JsonObject } from "@bufbuild/protobuf";
import { append } from "../../append.ts";
import { TextPositions } from "../../chat/stream/text-positions.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import { type Message, type Part, Role } from "../../gen/dragoman/v1/message_pb.js";
import { ExactJson } from "../kit/exact-json.ts";
import { misplaced, reasoningStart, textOf, withoutRole } from "../kit/messages.ts";
import { jsonOfState, stateObject } from "../kit/provider-state.ts";
import { callerCallOf, outputOf } from "./caller-calls.ts";
import { toInputContent } from "./content.ts";
import { callItem, imageItem, reasoningItem, serverItem, stateType } from "./replay.ts";
import type { InputContent, InputItem, InputMessage, OutputMessage, OutputText, UrlAnnotation } from "./wire.ts";

interface InputOptions {
  /** OpenAI's reasoning models get system messages as developer messages. */
  readonly isReasoningModel: boolean;
  readonly developerRole: boolean;
  readonly options: JsonObject | undefined;
}

/** Whether the caller's options let OpenAI store items, so that a request can refer to them. */
export function isStored(options: JsonObject | undefined): boolean {
  return options?.store === true;
}

/** Converts the messages to items. Adjacent texts of the model become one message. */
export function toInput(
  request: ChatRequest,
  { isReasoningModel, developerRole, options }: InputOptions,
): readonly InputItem[] {
  const start = reasoningStart(request);
  /** Types of the calls that are no function calls, by their ids. */
  const types = new Map<string, string>();
  const items: InputItem[] = [];
  for (const [index, message] of request.messages.entries()) {
    switch (message.role) {
      case Role.SYSTEM:
        items.push(plainMessage(isReasoningModel && developerRole ? "developer" : "system", message));
        break;
      case Role.DEVELOPER:
        items.push(plainMessage(developerRole ? "developer" : "system", message));
        break;
      case Role.USER:
        items.push(plainMessage("user", message));
        break;
      case Role.ASSISTANT:
        for (const part of message.parts) {
          const { kind } = part;
          if (kind.case === "toolCall" && callerCallOf(stateType(part))) types.set(kind.value.id, stateType(part));
        }
        append(items, assistantItems(message, { withReasoning: index >= start, stored: isStored(options) }));
        break;
      case Role.TOOL:
        for (const { kind } of message.parts) {
          if (kind.case !== "toolResult") throw misplaced("tool", kind.case);
          const { toolCallId: call_id } = kind.value;
          const caller = callerCallOf(types.get(call_id) ?? "");
          items.push(
            caller?.toOutput(call_id, kind.value) ?? {
              type: "function_call_output",
              call_id,
              output: outputOf(kind.value),
            },
          );
        }
        break;
      case Role.UNSPECIFIED:
        throw withoutRole();
      default:
        message.role satisfies never;
    }
  }
  return items;
}

function plainMessage(role: InputMessage["role"], { parts }: Message): InputMessage {
  const content = parts.map(({ kind }): InputContent => {
    if (kind.case === "media" && role === "user") return toInputContent(kind.value);
    return { type: "input_text", text: textOf(kind, role) };
  });
  const [first] = content;
  if (first === undefined) return { role, content: "" };
  return { role, content: content.length === 1 && first.type === "input_text" ? first.text : content };
}

/** What the request keeps of a turn of the model. */
interface Kept {
  readonly withReasoning: boolean;
  readonly stored: boolean;
}

function assistantItems({ parts }: Message, { withReasoning, stored }: Kept): readonly InputItem[] {
  const items: InputItem[] = [];
  let message:
    | { readonly phase: OutputMessage["phase"]; readonly content: OutputMessage["content"][number][] }
    | undefined;
  for (const part of parts) {
    const { kind } = part;
    if (kind.case === "text" || kind.case === "refusal") {
      if (kind.value === "") continue;
      const phase = phaseOf(part);
      if (message === undefined || message.phase !== phase) {
        message = { phase, content: [] };
        items.push({ type: "message", role: "assistant", ...(phase && { phase }), content: message.content });
      }
      message.content.push(
        kind.case === "text" ? toOutputText(kind.value, part.citations) : { type: "refusal", refusal: kind.value },
      );
      continue;
    }
    const item = itemOf(part, { withReasoning, stored });
    if (item === undefined) continue;
    message = undefined;
    items.push(item);
  }
  return items;
}

function itemOf(part: Part, { withReasoning, stored }: Kept): InputItem | undefined {
  const { kind } = part;
  switch (kind.case) {
    case "reasoning":
      return withReasoning ? reasoningItem(part, stored) : undefined;
    case "toolCall":
      return callItem(part);
    case "media":
      return imageItem(part);
    case "serverToolCall":
    case "serverToolResult":
      return serverItem(part);
    case "text":
    case "refusal":
    case "toolResult":
    case "searchResult":
    case undefined:
      throw misplaced("assistant", kind.case);
    default:
      return kind satisfies never;
  }
}

/** Returns the phase of the message of a text. The models after GPT-5.2 need it back. */
function phaseOf({ providerState }: Part): OutputMessage["phase"] {
  const phase = stateObject(providerState)?.phase;
  return phase === "commentary" || phase === "final_answer" ? phase : undefined;
}

/** Returns a text with the citations that the API sent, and those of web pages. The others have no form here. */
function toOutputText(text: string, citations: readonly Citation[]): OutputText {
  const positions = new TextPositions();
  positions.append(text);
  const annotations = citations.flatMap(({ source, start, end, providerState }): (ExactJson | UrlAnnotation)[] => {
    const json = jsonOfState(providerState);
    if (json !== undefined) return [new ExactJson(json)];
    if (source.case !== "url") return [];
    const { url, title } = source.value;
    const start_index = start === undefined ? 0 : positions.toCharacter(start);
    const end_index = end === undefined ? 0 : positions.toCharacter(end);
    return [{ type: "url_citation", url, title, start_index, end_index }];
  });
  return { type: "output_text", text, annotations };
}

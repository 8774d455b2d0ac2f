import { isSystem } from "../../chat/validation/request-rules.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { type Message, type Part, Role, type ToolCall, type ToolResult } from "../../gen/dragoman/v1/message_pb.js";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import { ExactJson } from "../kit/exact-json.ts";
import { misplaced, reasoningStart, textOf, withoutRole } from "../kit/messages.ts";
import { wireId } from "./call-ids.ts";
import type { ModelRules } from "./model-rules.ts";
import { toServerPart } from "./server-tools.ts";
import type { GenerateContentBody, WireContent, WireMedia, WirePart } from "./wire.ts";

/**
 * Signature that Google documents for tool calls without one, such as those of other models.
 * https://ai.google.dev/gemini-api/docs/thought-signatures#faqs
 */
const placeholderSignature = "skip_thought_signature_validator";

type Conversation = Pick<GenerateContentBody, "systemInstruction" | "contents">;

/** Converts the messages. The API has two roles, `user` and `model`. Merges consecutive messages of one role. */
export function toConversation(request: ChatRequest, rules: ModelRules): Conversation {
  const contents = new Contents();
  const system = systemTexts(request.messages).map((text) => ({ text }));
  if (!rules.systemInstruction) contents.append("user", system);
  const start = reasoningStart(request);
  const calls = new Map<string, ToolCall>();
  for (const [index, { role, parts }] of request.messages.entries()) {
    switch (role) {
      case Role.SYSTEM:
      case Role.DEVELOPER:
        break;
      case Role.USER:
        contents.append("user", parts.map(toUserPart));
        break;
      case Role.ASSISTANT:
        for (const { kind } of parts) if (kind.case === "toolCall") calls.set(kind.value.id, kind.value);
        contents.append("model", toModelParts(parts, rules, index >= start));
        break;
      case Role.TOOL:
        contents.append("user", toResultParts(parts, calls));
        break;
      case Role.UNSPECIFIED:
        throw withoutRole();
      default:
        role satisfies never;
    }
  }
  return {
    ...(rules.systemInstruction && system.length > 0 && { systemInstruction: { parts: system } }),
    contents: contents.list,
  };
}

class Contents {
  readonly list: { readonly role: WireContent["role"]; parts: readonly WirePart[] }[] = [];

  append(role: WireContent["role"], parts: readonly WirePart[]): void {
    if (parts.length === 0) return;
    const last = this.list.at(-1);
    if (last?.role === role) last.parts = [...last.parts, ...parts];
    else this.list.push({ role, parts });
  }
}

function systemTexts(messages: readonly Message[]): readonly string[] {
  return messages.filter(isSystem).flatMap(({ parts }) => parts.map(({ kind }) => textOf(kind, "system")));
}

function toUserPart({ kind }: Part): WirePart {
  return kind.case === "media" ? toMediaPart(kind.value) : { text: textOf(kind, "user") };
}

function toModelParts(parts: readonly Part[], rules: ModelRules, withReasoning: boolean): readonly WirePart[] {
  // Google signs only the first tool call of a message, so only that one gets the placeholder.
  const first = parts.find(({ kind }) => kind.case === "toolCall");
  return parts.flatMap((part): readonly WirePart[] => {
    const { kind } = part;
    const signature = toSignature(part.providerState);
    switch (kind.case) {
      case "text":
      case "refusal":
        // The API rejects an empty part without a signature.
        return kind.value === "" && signature.thoughtSignature === undefined
          ? []
          : [{ text: kind.value, ...signature }];
      case "reasoning":
        return withReasoning ? [{ text: kind.value.text, thought: true, ...signature }] : [];
      case "toolCall": {
        const { id, name, argumentsJson } = kind.value;
        return [
          {
            functionCall: { ...wireId(id), name, args: new ExactJson(argumentsJson || "{}") },
            ...(part === first && rules.signatures && { thoughtSignature: placeholderSignature }),
            ...signature,
          },
        ];
      }
      case "media":
        if (kind.value.transcript !== "") return [{ text: kind.value.transcript }];
        return [{ ...toMediaPart(kind.value), ...signature }];
      case "serverToolCall":
      case "serverToolResult":
        return [toServerPart(part.providerState) ?? []].flat();
      case "toolResult":
      case "searchResult":
      case undefined:
        throw misplaced("assistant", kind.case);
      default:
        return kind satisfies never;
    }
  });
}

function toSignature(state: ProviderState | undefined): { readonly thoughtSignature?: string } {
  return state === undefined ? {} : { thoughtSignature: Buffer.from(state.data).toString() };
}

function toResultParts(parts: readonly Part[], calls: ReadonlyMap<string, ToolCall>): readonly WirePart[] {
  return parts.map(({ kind }) => {
    if (kind.case !== "toolResult") throw misplaced("tool", kind.case);
    return toResultPart(kind.value, calls.get(kind.value.toolCallId)?.name ?? "");
  });
}

function toResultPart({ toolCallId, parts, isError }: ToolResult, name: string): WirePart {
  const text = parts.map(({ kind }) => (kind.case === "text" ? kind.value : "")).join("");
  const media = parts.flatMap(({ kind }) => (kind.case === "media" ? [toMediaPart(kind.value)] : []));
  return {
    functionResponse: {
      ...wireId(toolCallId),
      name,
      response: { [isError ? "error" : "output"]: text },
      ...(media.length > 0 && { parts: media }),
    },
  };
}

function toMediaPart({ source, mediaType }: Media): WireMedia {
  if (source.case === "url") return { fileData: { fileUri: source.value, ...(mediaType && { mimeType: mediaType }) } };
  const data = source.case === "data" ? Buffer.from(source.value).toString("base64") : "";
  return { inlineData: { mimeType: mediaType, data } };
}

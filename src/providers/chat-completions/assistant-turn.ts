import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import { misplaced } from "../kit/messages.ts";
import type { WireToolCall } from "./wire.ts";

/** Text, refusal or reasoning of an assistant message. */
interface OutputPart extends Pick<Part, "citations"> {
  readonly kind: Extract<Part["kind"], { case: "text" | "refusal" | "reasoning" }>;
  readonly state: Part["providerState"];
}

/** Parts of an assistant message. The tool calls are in OpenAI's format, which Mistral and Cohere share. */
interface AssistantTurn {
  readonly outputs: readonly OutputPart[];
  readonly calls: readonly WireToolCall[];
}

/**
 * Separates the tool calls of an assistant message from its other parts. Throws INVALID_REQUEST for media and tool
 * results.
 */
export function assistantTurn(parts: readonly Part[]): AssistantTurn {
  const outputs: OutputPart[] = [];
  const calls: WireToolCall[] = [];
  for (const { kind, citations, providerState: state } of parts) {
    switch (kind.case) {
      case "text":
      case "refusal":
      case "reasoning":
        outputs.push({ kind, citations, state });
        break;
      case "toolCall": {
        const { id, name, argumentsJson } = kind.value;
        calls.push({ id, type: "function", function: { name, arguments: argumentsJson || "{}" } });
        break;
      }
      case "media":
      case "toolResult":
      case "serverToolCall":
      case "serverToolResult":
      case "searchResult":
      case undefined:
        throw misplaced("assistant", kind.case);
      default:
        kind satisfies never;
    }
  }
  return { outputs, calls };
}

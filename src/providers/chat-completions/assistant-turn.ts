import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import { misplaced } from "../kit/messages.ts";
import type { WireToolCall } from "./wire.ts";

/** What an assistant says or thinks, as opposed to what it calls. */
interface SaidPart {
  readonly kind: Extract<Part["kind"], { case: "text" | "refusal" | "reasoning" }>;
  readonly state: Part["providerState"];
}

/** The parts of an assistant's message, with its calls in OpenAI's form, which other dialects share. */
interface AssistantTurn {
  readonly said: readonly SaidPart[];
  readonly calls: readonly WireToolCall[];
}

/** `toId` makes an id of another provider's one that this one takes. */
export function assistantTurn(parts: readonly Part[], toId: (id: string) => string = (id) => id): AssistantTurn {
  const said: SaidPart[] = [];
  const calls: WireToolCall[] = [];
  for (const { kind, providerState: state } of parts) {
    switch (kind.case) {
      case "text":
      case "refusal":
      case "reasoning":
        said.push({ kind, state });
        break;
      case "toolCall": {
        const { id, name, argumentsJson } = kind.value;
        calls.push({ id: toId(id), type: "function", function: { name, arguments: argumentsJson || "{}" } });
        break;
      }
      case "media":
      case "toolResult":
      case undefined:
        throw misplaced("assistant", kind.case);
      default:
        kind satisfies never;
    }
  }
  return { said, calls };
}

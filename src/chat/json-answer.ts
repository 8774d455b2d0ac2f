import { GatewayError } from "../errors.ts";
import { FinishReason } from "../gen/dragoman/v1/completion_pb.js";
import type { OutputFormat } from "../gen/dragoman/v1/output_format_pb.js";
import type { ChatEvent } from "./events.ts";
import { isJsonObject } from "./request-rules.ts";

/** Checks at the end of each choice that the answer is the JSON that was asked for. Undefined when none was. */
export function createJsonCheck(format: OutputFormat | undefined): ((event: ChatEvent) => void) | undefined {
  if (format?.format.case !== "jsonObject" && format?.format.case !== "jsonSchema") return undefined;
  const anyValue = format.format.case === "jsonSchema";
  const texts = new Map<number, string>();
  return (event) => {
    if (event.case === "delta" && event.value.delta.case === "text") {
      const { choiceIndex, delta } = event.value;
      texts.set(choiceIndex, (texts.get(choiceIndex) ?? "") + delta.value);
    }
    if (event.case !== "finished") return;
    const { choiceIndex, finishReason } = event.value;
    if (finishReason === FinishReason.TOOL_CALLS || finishReason === FinishReason.CONTENT_FILTER) return;
    const text = texts.get(choiceIndex) ?? "";
    if (anyValue ? isJson(text) : isJsonObject(text)) return;
    throw new GatewayError(
      "JSON_GENERATION_FAILED",
      finishReason === FinishReason.LENGTH
        ? "the model reached the token limit before its JSON was complete; raise max_output_tokens"
        : "the model did not write the JSON that was asked for; ask again, and say in a message what JSON is wanted",
      { failedGeneration: text },
    );
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

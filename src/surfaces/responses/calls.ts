import { customArguments } from "../kit/custom-tools.ts";
import { toJsonText } from "../kit/json-values.ts";
import { resultParts } from "./content.ts";
import type { CallItem, OutputItem } from "./items.ts";
import type { PartInit } from "./opaque.ts";
import { joinedName } from "./tool-names.ts";

/** Returns the tool call of an item. */
export function callPart(item: CallItem): PartInit {
  const { name, argumentsJson } = calledBy(item);
  return { kind: { case: "toolCall", value: { id: callIdOf(item), name, argumentsJson } } };
}

function calledBy(item: CallItem): { readonly name: string; readonly argumentsJson: string } {
  switch (item.type) {
    case "function_call":
      return { name: joinedName(item.name, item.namespace), argumentsJson: item.arguments };
    case "custom_tool_call":
      return { name: joinedName(item.name, item.namespace), argumentsJson: customArguments(item.input) };
    case "local_shell_call":
      return { name: "local_shell", argumentsJson: toJsonText(item.action) };
    case "shell_call":
      return { name: "shell", argumentsJson: toJsonText(item.action) };
    case "apply_patch_call":
      return { name: "apply_patch", argumentsJson: toJsonText(item.operation) };
    case "computer_call":
      return { name: "computer", argumentsJson: toJsonText(item.action ?? { actions: item.actions ?? [] }) };
    default:
      return item satisfies never;
  }
}

/** Returns the result of a tool call of an item. */
export function resultPart(item: OutputItem): PartInit {
  const isError = item.type === "apply_patch_call_output" && item.status === "failed";
  return {
    kind: { case: "toolResult", value: { toolCallId: callIdOf(item), parts: [...partsOf(item)], isError } },
  };
}

function partsOf(item: OutputItem): ReturnType<typeof resultParts> {
  switch (item.type) {
    case "function_call_output":
    case "custom_tool_call_output":
      return resultParts(item.output);
    case "local_shell_call_output":
      return resultParts(item.output);
    case "shell_call_output":
      return resultParts(toJsonText(item.output));
    case "apply_patch_call_output":
      return resultParts(item.output ?? "");
    case "computer_call_output": {
      const { image_url, file_id } = item.output;
      return resultParts([{ type: "input_image", image_url, file_id }]);
    }
    default:
      return item satisfies never;
  }
}

/** Items of the local shell have the id of the call in `id`, or in `call_id`, as Codex sends it. */
function callIdOf({ call_id, id }: { readonly call_id?: string | null | undefined; readonly id?: unknown }): string {
  return call_id ?? (typeof id === "string" ? id : "");
}

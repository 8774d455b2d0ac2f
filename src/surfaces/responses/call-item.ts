import { isJsonObject, isShallow } from "../../chat/validation/request-rules.ts";
import { customInput } from "../kit/custom-tools.ts";
import { type Emit, emitAdded, emitDone, type OpenItem, type Place, placeOf } from "./open-item.ts";
import type { ToolName } from "./tool-names.ts";
import type { CustomCallItem, FunctionCallItem, ItemStatus } from "./wire.ts";

/** Tool call of the output, for the client to run. */
export class OpenCall implements OpenItem {
  readonly id: string;
  readonly index: number;
  readonly #emit: Emit;
  readonly #callId: string;
  readonly #tool: ToolName;
  #arguments = "";
  #status: ItemStatus = "in_progress";

  constructor({ id, index }: Place, callId: string, tool: ToolName, emit: Emit) {
    this.id = id;
    this.index = index;
    this.#callId = callId;
    this.#tool = tool;
    this.#emit = emit;
    emitAdded(emit, this, this.item);
  }

  get item(): FunctionCallItem | CustomCallItem {
    const { name, namespace, isCustom } = this.#tool;
    const common = {
      id: this.id,
      status: this.#status,
      call_id: this.#callId,
      name,
      ...(namespace !== undefined && { namespace }),
    };
    if (!isCustom) return { ...common, type: "function_call", arguments: this.#arguments };
    return { ...common, type: "custom_tool_call", input: this.#status === "in_progress" ? "" : this.#input };
  }

  write(argumentsJson: string): void {
    if (argumentsJson === "") return;
    this.#arguments += argumentsJson;
    if (this.#tool.isCustom) return;
    this.#emit({ type: "response.function_call_arguments.delta", ...placeOf(this), delta: argumentsJson });
  }

  /** Whether the arguments are a whole JSON object, so that the client can run the tool. */
  get isComplete(): boolean {
    const text = this.#arguments;
    return text.trimEnd().endsWith("}") && isShallow(text) && isJsonObject(text);
  }

  /** The input of a custom tool is known only as a whole: the model writes it as a JSON string. */
  close(status: Exclude<ItemStatus, "in_progress">): void {
    this.#status = status;
    const place = placeOf(this);
    if (this.#tool.isCustom) {
      const input = this.#input;
      if (input !== "") this.#emit({ type: "response.custom_tool_call_input.delta", ...place, delta: input });
      this.#emit({ type: "response.custom_tool_call_input.done", ...place, input });
    } else {
      const { name } = this.#tool;
      this.#emit({ type: "response.function_call_arguments.done", ...place, name, arguments: this.#arguments });
    }
    emitDone(this.#emit, this, this.item);
  }

  get #input(): string {
    return customInput(this.#arguments);
  }
}

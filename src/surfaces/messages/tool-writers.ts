import { joinStates } from "../../chat/stream/fold.ts";
import { isJson } from "../../chat/validation/request-rules.ts";
import type { ServerToolCall, ToolCall } from "../../gen/dragoman/v1/message_pb.js";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import { fromJsonText } from "../kit/json-values.ts";
import type { Block, BlockOutput, PartWriter } from "./block-output.ts";
import { carrierBlock } from "./carried.ts";
import { asObject, claudeMembers, type IsClaude } from "./claude.ts";
import { inputOf } from "./join-blocks.ts";

/**
 * Writes a call of a tool, of the caller or of the provider. State of another provider is in a block before it; adapters
 * send it with the first delta of a call.
 */
export class CallWriter implements PartWriter {
  readonly #output: BlockOutput;
  readonly #isClaude: IsClaude;
  readonly #lateStates: ProviderState[] = [];
  #json = "";
  /** Block of a call that is written as a whole, since clients join the input of only some types of blocks. */
  #held: Block | undefined;
  #hasBegun = false;

  constructor(output: BlockOutput, isClaude: IsClaude) {
    this.#output = output;
    this.#isClaude = isClaude;
  }

  add({ delta, providerState: state }: PartDelta): void {
    if (delta.case !== "toolCall" && delta.case !== "serverToolCall") return;
    if (!this.#hasBegun) this.#begin(delta.case === "toolCall", delta.value, state);
    else if (state !== undefined) this.#lateStates.push(state);
    const json = delta.case === "toolCall" ? delta.value.argumentsJson : delta.value.inputJson;
    if (json === "") return;
    this.#json += json;
    if (this.#held === undefined) this.#output.delta({ type: "input_json_delta", partial_json: json });
  }

  canEnd(): boolean {
    return /}\s*$/.test(this.#json) && isJson(this.#json);
  }

  end(): void {
    if (this.#held === undefined) this.#output.stop();
    else this.#output.whole({ ...this.#held, input: inputOf(this.#json) });
    const state = joinStates(this.#lateStates);
    if (state !== undefined) this.#output.whole(carrierBlock("previous", { providerState: state }));
  }

  #begin(isCallers: boolean, { id, name }: ToolCall | ServerToolCall, state: ProviderState | undefined): void {
    this.#hasBegun = true;
    const members = claudeMembers(state, this.#isClaude);
    const call = { id, name, input: {} };
    if (isCallers) {
      if (members === undefined && state !== undefined) this.#carryState(state);
      this.#output.start({ type: "tool_use", caller: { type: "direct" }, ...members, ...call });
    } else if (typeof members?.type === "string") {
      const block = { ...members, type: members.type, ...call };
      if (block.type === "server_tool_use") this.#output.start(block);
      else this.#held = block;
    } else {
      // Anthropic's API has no other calls of a provider's tool whose name and results can be any.
      this.#carryState(state);
      this.#held = { type: "mcp_tool_use", ...call, server_name: state?.provider ?? "provider" };
    }
  }

  #carryState(state: ProviderState | undefined): void {
    this.#output.whole(carrierBlock("next", state ? { providerState: state } : {}));
  }
}

/** Writes a result of a provider's tool, as one block without deltas, like Anthropic. */
export class ResultWriter implements PartWriter {
  readonly #output: BlockOutput;
  readonly #isClaude: IsClaude;
  readonly #states: ProviderState[] = [];
  #callId: string | undefined;
  #json = "";
  #isError = false;

  constructor(output: BlockOutput, isClaude: IsClaude) {
    this.#output = output;
    this.#isClaude = isClaude;
  }

  add({ delta, providerState }: PartDelta): void {
    if (providerState !== undefined) this.#states.push(providerState);
    if (delta.case !== "serverToolResult") return;
    this.#callId ??= delta.value.toolCallId;
    this.#json += delta.value.outputJson;
    this.#isError ||= delta.value.isError;
  }

  canEnd(): boolean {
    return isJson(this.#json);
  }

  end(): void {
    const state = joinStates(this.#states);
    const block = this.#toClaudeBlock(state);
    if (block !== undefined) {
      this.#output.whole(block);
      return;
    }
    this.#output.whole(carrierBlock("next", state ? { providerState: state } : {}));
    this.#output.whole({
      type: "mcp_tool_result",
      tool_use_id: this.#callId ?? "",
      is_error: this.#isError,
      content: [{ type: "text", text: this.#json, citations: null }],
    });
  }

  /** Returns the block that a provider with Anthropic's API sent. Undefined for other providers. */
  #toClaudeBlock(state: ProviderState | undefined): Block | undefined {
    const members = claudeMembers(state, this.#isClaude);
    if (members === undefined) return undefined;
    const { type } = members;
    const content = fromJsonText(this.#json);
    if (typeof type === "string") return { ...members, type, tool_use_id: this.#callId ?? "", content };
    const block = asObject(content);
    return typeof block?.type === "string" ? { ...block, type: block.type } : undefined;
  }
}

// Compile-time check: request bodies must match what the vendor's SDK (@mistralai/mistralai 2.7.0) sends.
import type {
  AssistantMessage$Outbound,
  ChatCompletionStreamRequest$Outbound,
  ResponseFormat$Outbound,
  SystemMessage$Outbound,
  ToolCall$Outbound,
  ToolMessage$Outbound,
  UserMessage$Outbound,
} from "@mistralai/mistralai/models/components";
import type { mistralFields } from "../../../src/providers/mistral/quirks.ts";
import type { MistralBody } from "../../../src/providers/mistral/request.ts";
import type { WireMessage } from "../../../src/providers/mistral/wire.ts";
import type { Assignable, Mutable } from "./assignable.ts";

type Vendor = ChatCompletionStreamRequest$Outbound;

// The SDK adds `prefix: false` and `index: 0` if they are missing. The API does not need them.
type VendorToolCall = Omit<ToolCall$Outbound, "index">;
type VendorAssistant = Omit<AssistantMessage$Outbound, "prefix" | "tool_calls"> & {
  prefix?: boolean;
  tool_calls?: VendorToolCall[];
};
type VendorMessage = SystemMessage$Outbound | UserMessage$Outbound | VendorAssistant | ToolMessage$Outbound;

export const messages: Assignable<Mutable<WireMessage>, VendorMessage> = true;

// Does not check tools: they use the Chat Completions types, where `parameters` is optional. toRequest always sets it.
// Mistral has no `allowed_tools`, so its adapter does not declare `takesAllowedTools`.
type ToolChoice = Exclude<MistralBody["tool_choice"], { readonly type: "allowed_tools" }>;
export const toolChoice: Assignable<Mutable<ToolChoice>, Vendor["tool_choice"]> = true;

/** Every field name that the adapter sends is a field of the SDK's request type. */
export const names: Assignable<(typeof mistralFields)[keyof typeof mistralFields], keyof Vendor> = true;

export const responseFormat = {
  type: "json_schema",
  json_schema: { name: "s", description: "d", schema: {}, strict: true },
} satisfies ResponseFormat$Outbound;

import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  FunctionToolSchema,
  ProviderToolSchema,
  ToolChoiceMode,
  ToolSchema,
} from "../../src/gen/dragoman/v1/tool_pb.js";

type FunctionInit = MessageInitShape<typeof FunctionToolSchema> &
  Pick<MessageInitShape<typeof ToolSchema>, "cacheHint"> & { readonly name: string };

/** Returns a tool with a function. */
export function functionTool({ cacheHint, ...value }: FunctionInit) {
  return { kind: { case: "function", value }, ...(cacheHint && { cacheHint }) } as const;
}

/** Returns a tool that a provider runs: OpenAI, unless the test says otherwise. */
export function providerTool(value: MessageInitShape<typeof ProviderToolSchema>) {
  return { kind: { case: "providerTool", value: { provider: "openai", ...value } } } as const;
}

/** Returns a tool choice that allows some functions. */
export function allow(mode: ToolChoiceMode, ...toolNames: string[]) {
  return { choice: { case: "allowedTools", value: { mode, toolNames } } } as const;
}

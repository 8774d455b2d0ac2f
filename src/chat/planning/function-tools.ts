import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { FunctionTool, Tool } from "../../gen/dragoman/v1/tool_pb.js";

/** Function tool of a request, with the index and the prompt cache breakpoint of its tool. */
export interface RequestedFunction
  extends Pick<FunctionTool, "name" | "description" | "parametersJsonSchema" | "strict">,
    Pick<Tool, "cacheHint"> {
  readonly index: number;
}

/** Whether a request has a function tool. Tools that the provider runs are not functions. */
export function hasFunctions({ tools }: Pick<ChatRequest, "tools">): boolean {
  return tools.some(({ kind }) => kind.case === "function");
}

/** Returns the functions among the tools of a request, in order. */
export function functionsOf({ tools }: Pick<ChatRequest, "tools">): readonly RequestedFunction[] {
  return tools.flatMap(({ kind, cacheHint }, index) => {
    if (kind.case !== "function") return [];
    const { name, description, parametersJsonSchema, strict } = kind.value;
    const known = { name, description, parametersJsonSchema, index };
    return [{ ...known, ...(strict !== undefined && { strict }), ...(cacheHint && { cacheHint }) }];
  });
}

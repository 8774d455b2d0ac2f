import { reflectList } from "@bufbuild/protobuf/reflect";
import type { Adaptation } from "../../../../chat/planning/adaptations.ts";
import { functionsOf } from "../../../../chat/planning/function-tools.ts";
import { type ChatRequest, ChatRequestSchema } from "../../../../gen/dragoman/v1/chat_request_pb.js";
import type { Tool } from "../../../../gen/dragoman/v1/tool_pb.js";

/** Drops `strict` from tools, since DeepInfra does not constrain tool arguments to the schema. */
export function* deepInfraAdaptations({ tools }: ChatRequest): Generator<Adaptation> {
  if (!functionsOf({ tools }).some(({ strict }) => strict === true)) return;
  const field = ChatRequestSchema.field.tools;
  if (field.fieldKind !== "list") throw new Error("ChatRequest.tools is not a list");
  yield {
    kind: "ADJUSTED",
    field: ["tools"],
    message: "DeepInfra does not support strict tools; strict is dropped",
    set: reflectList(field, tools.map(withoutStrict)),
  };
}

function withoutStrict(tool: Tool): Tool {
  if (tool.kind.case !== "function") return tool;
  const { strict: _, ...rest } = tool.kind.value;
  return { ...tool, kind: { case: "function", value: rest } };
}

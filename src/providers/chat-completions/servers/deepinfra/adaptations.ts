import { reflectList } from "@bufbuild/protobuf/reflect";
import type { Adaptation } from "../../../../chat/planning/adaptations.ts";
import { type ChatRequest, ChatRequestSchema } from "../../../../gen/dragoman/v1/chat_request_pb.js";

/** Drops `strict` from tools, since DeepInfra does not constrain tool arguments to the schema. */
export function* deepInfraAdaptations({ tools }: ChatRequest): Generator<Adaptation> {
  if (!tools.some(({ strict }) => strict === true)) return;
  const field = ChatRequestSchema.field.tools;
  if (field.fieldKind !== "list") throw new Error("ChatRequest.tools is not a list");
  const set = reflectList(
    field,
    tools.map(({ strict: _, ...tool }) => tool),
  );
  yield {
    kind: "ADJUSTED",
    field: ["tools"],
    message: "DeepInfra does not support strict tools; strict is dropped",
    set,
  };
}

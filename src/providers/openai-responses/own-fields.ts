import type { OwnField } from "../../chat/planning/learned.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { rulesOf } from "./fields.ts";
import type { ResponsesServer } from "./server.ts";

/**
 * Returns the fields of a body that the caller did not request. `store` is not among them: without it, OpenAI would
 * store the response.
 */
export function ownFields(request: ChatRequest, model: Model, server: ResponsesServer): readonly OwnField[] {
  const isOwn = Boolean(rulesOf(model, server)) && !request.parameters?.logprobs;
  return [{ name: "stream_options", onlyStreamed: true }, ...(isOwn ? [{ name: "include" }] : [])].filter(
    ({ name }) => !server.without.has(name),
  );
}

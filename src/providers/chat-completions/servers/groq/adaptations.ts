import type { Adaptation } from "../../../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../../../gen/dragoman/v1/chat_request_pb.js";
import { ReasoningFormat } from "../../../../gen/dragoman/v1/reasoning_pb.js";
import { unsupported } from "../../../kit/adaptations.ts";

/** Drops the raw reasoning format, which Groq does not support with tools. https://console.groq.com/docs/reasoning */
export function* groqAdaptations({ reasoning, tools }: ChatRequest): Generator<Adaptation> {
  if (reasoning?.format !== ReasoningFormat.RAW || tools.length === 0) return;
  yield unsupported(["reasoning", "format"], "Groq does not support the raw reasoning format together with tools");
}

import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import { parseRequest } from "../kit/parse-request.ts";
import { continuesMedia } from "../kit/shown-media.ts";
import type { ChatSurface } from "../kit/surface.ts";
import { toOpenAiStreamError } from "../openai-shape/errors.ts";
import { body, type ResponsesBody } from "./body.ts";
import { toResponsesError } from "./errors.ts";
import { isShownImage } from "./image-item.ts";
import { hasAnnotation } from "./message-item.ts";
import { readRequest } from "./request.ts";
import { type ResponseContext, toResponse } from "./response.ts";
import { isWebSearch } from "./search-item.ts";
import { ResponseStream } from "./stream.ts";

/**
 * OpenAI's Responses API, for every model of the catalog, without stored state.
 * https://platform.openai.com/docs/api-reference/responses
 */
export const responsesSurface: ChatSurface = {
  name: "responses",
  path: "/v1/responses",
  profile: undefined,
  memoryStrategy: "truncation",
  // OpenAI ends this stream without it.
  endsWithDone: false,
  showsSources: true,
  shows,
  translate(value, request) {
    const parsed = parseRequest(body, value);
    const { chat, extras, toolNames, echoedTools, nameField } = readRequest(parsed, request);
    const context: ResponseContext = {
      echo: echoOf(parsed, echoedTools),
      toolNames,
      serviceTier: parsed.service_tier ?? "",
    };
    let stream: ResponseStream | undefined;
    return {
      chat,
      extras,
      streamed: parsed.stream ?? false,
      nameField,
      toResponse: (completion) => toResponse(completion, context),
      createStream() {
        const created = new ResponseStream(context);
        stream = created;
        return (event) => created.translate(event);
      },
      toLastEvents: (error, requestId) => (stream ?? new ResponseStream(context)).fail(error, requestId),
    };
  },
  toError: toResponsesError,
  toStreamError: toOpenAiStreamError,
};

/** Whether an item shows a delta, or carries it opaquely for the next request. */
function shows(delta: PartDelta["delta"]): boolean {
  switch (delta.case) {
    case "media":
      return continuesMedia(delta.value) || isShownImage(delta.value);
    case "serverToolCall":
      return delta.value.name === "" || isWebSearch(delta.value.name);
    case "serverToolResult":
      return true;
    case "citation":
      return hasAnnotation(delta.value.source);
    default:
      return false;
  }
}

/** Returns the fields that a response repeats from the request, with OpenAI's defaults. */
function echoOf(request: ResponsesBody, tools: readonly object[]): object {
  const { reasoning, text } = request;
  return {
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    metadata: request.metadata ?? {},
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    prompt_cache_key: request.prompt_cache_key ?? null,
    prompt_cache_retention: request.prompt_cache_retention ?? null,
    reasoning: {
      effort: reasoning?.effort ?? null,
      summary: reasoning?.summary ?? reasoning?.generate_summary ?? null,
    },
    safety_identifier: request.safety_identifier ?? null,
    // Dragoman stores nothing, whatever the request says.
    store: false,
    temperature: request.temperature ?? null,
    text: { format: text?.format ?? { type: "text" }, ...(text?.verbosity && { verbosity: text.verbosity }) },
    tool_choice: request.tool_choice ?? "auto",
    tools,
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? null,
    truncation: request.truncation ?? "disabled",
    ...(request.user && { user: request.user }),
  };
}

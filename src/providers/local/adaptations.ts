import { reflect } from "@bufbuild/protobuf/reflect";
import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { mediaKind } from "../../chat/planning/media-kind.ts";
import { partsOf } from "../../chat/planning/parts.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import { OutputFormatSchema } from "../../gen/dragoman/v1/output_format_pb.js";
import { ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { leftOut, lostThought, rejected } from "../kit/adaptations.ts";
import { toGrammarSchema } from "./grammar-schema.ts";

/** Returns what no local model supports in the request. Other code checks the model's capabilities (tools, images). */
export function localAdaptations(request: ChatRequest): readonly Adaptation[] {
  return [...fieldAdaptations(request), ...messageAdaptations(request), ...schemaAdaptations(request)];
}

const absentFields: readonly (readonly [FieldPath, (request: ChatRequest) => unknown, string])[] = [
  [
    ["parameters", "min_output_tokens"],
    ({ parameters }) => parameters?.minOutputTokens,
    "the local engine does not support min_output_tokens",
  ],
  [
    ["prompt_cache_key"],
    ({ promptCacheKey }) => promptCacheKey,
    "the local engine does not support prompt_cache_key: it always caches the last prompt",
  ],
  [["service_tier"], ({ serviceTier }) => serviceTier, "the local engine does not support service_tier"],
  [["prediction"], ({ prediction }) => prediction, "the local engine does not support prediction"],
  [["provider_options"], ({ providerOptions }) => providerOptions.local, "the local engine has no provider options"],
];

function* fieldAdaptations(request: ChatRequest): Generator<Adaptation> {
  for (const [field, value, message] of absentFields) {
    if (value(request)) yield { kind: "UNSUPPORTED_PARAMETER", field, message };
  }
  const choice = request.toolChoice?.choice;
  if (choice?.case === "toolName" || (choice?.case === "mode" && choice.value === ToolChoiceMode.REQUIRED)) {
    yield { kind: "REJECTED", field: ["tool_choice"], message: "local models do not support tool calls" };
  }
}

function* messageAdaptations(request: ChatRequest): Generator<Adaptation> {
  for (const { part, path } of partsOf(request.messages)) {
    const problem = unsupportedIn(part);
    if (problem !== undefined) yield rejected(path, `local models do not support ${problem}`);
  }
  yield* leftOut(request, {
    name: "local models do not support participant names: they are omitted",
    cacheHint: "local models do not support cache hints: they are omitted",
  });
  const message = "local models do not support earlier reasoning: it is omitted";
  yield* lostThought(request.messages, () => true, message);
}

function unsupportedIn({ kind }: Part): string | undefined {
  switch (kind.case) {
    case "toolCall":
    case "toolResult":
    case "serverToolCall":
    case "serverToolResult":
      return "tool calls or tool results";
    case "searchResult":
      return "search results";
    case "media": {
      // Other code checks whether the model supports the other kinds.
      const found = mediaKind(kind.value);
      return found === undefined || found === "video" ? "videos or media of unknown kind" : undefined;
    }
    case "text":
    case "reasoning":
    case "refusal":
    case undefined:
      return undefined;
    default:
      return kind satisfies never;
  }
}

function* schemaAdaptations({ outputFormat }: ChatRequest): Generator<Adaptation> {
  if (outputFormat?.format.case !== "jsonSchema") return;
  const { value: requested } = outputFormat.format;
  const { schema, unenforced } = toGrammarSchema(JSON.parse(requested.schemaJson));
  if (unenforced.length > 0) {
    const value = { ...requested, schemaJson: JSON.stringify(schema) };
    yield {
      kind: "ADJUSTED",
      field: ["output_format"],
      message: `the local engine does not enforce these keywords of the schema: ${unenforced.join(", ")}`,
      set: reflect(OutputFormatSchema, { ...outputFormat, format: { case: "jsonSchema", value } }),
    };
  }
  if (requested.description !== "") {
    const message = "local models do not see the schema's description: put it in a message";
    yield { kind: "EMULATED", field: ["output_format", "json_schema", "description"], message };
  }
}

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

/** What no local model can do. What a model lacks that its capabilities tell (tools, images …) is not repeated here. */
export function localAdaptations(request: ChatRequest): readonly Adaptation[] {
  return [...fieldAdaptations(request), ...messageAdaptations(request), ...schemaAdaptations(request)];
}

const absentFields: readonly (readonly [FieldPath, (request: ChatRequest) => unknown, string])[] = [
  [
    ["parameters", "min_output_tokens"],
    ({ parameters }) => parameters?.minOutputTokens,
    "the local engine cannot keep a model from ending its turn",
  ],
  [
    ["prompt_cache_key"],
    ({ promptCacheKey }) => promptCacheKey,
    "the local engine keeps the last prompt by itself and takes no key for it",
  ],
  [["service_tier"], ({ serviceTier }) => serviceTier, "the local engine has no classes of service"],
  [["prediction"], ({ prediction }) => prediction, "the local engine takes no prediction"],
  [["provider_options"], ({ providerOptions }) => providerOptions.local, "the local engine has no further options"],
];

function* fieldAdaptations(request: ChatRequest): Generator<Adaptation> {
  for (const [field, value, message] of absentFields) {
    if (value(request)) yield { kind: "UNSUPPORTED_PARAMETER", field, message };
  }
  const choice = request.toolChoice?.choice;
  if (choice?.case === "toolName" || (choice?.case === "mode" && choice.value === ToolChoiceMode.REQUIRED)) {
    yield { kind: "REJECTED", field: ["tool_choice"], message: "local models do not call tools" };
  }
}

function* messageAdaptations(request: ChatRequest): Generator<Adaptation> {
  for (const { part, path } of partsOf(request.messages)) {
    const refusal = refusalOf(part);
    if (refusal !== undefined) yield rejected(path, `local models take no ${refusal}`);
  }
  yield* leftOut(request, {
    name: "local models are not shown names of speakers: left out",
    cacheHint: "local models are not shown cache hints: left out",
  });
  const thoughts = "local models are not shown earlier reasoning: left out";
  yield* lostThought(request.messages, () => true, thoughts);
}

function refusalOf({ kind }: Part): string | undefined {
  switch (kind.case) {
    case "toolCall":
    case "toolResult":
      return "tool calls and their results";
    case "media": {
      // The other kinds are capabilities of the model.
      const found = mediaKind(kind.value);
      return found === undefined || found === "video" ? "videos, nor media of unknown kind" : undefined;
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
  const { value: asked } = outputFormat.format;
  const { schema, unenforced } = toGrammarSchema(JSON.parse(asked.schemaJson));
  if (unenforced.length > 0) {
    const value = { ...asked, schemaJson: JSON.stringify(schema) };
    yield {
      kind: "ADJUSTED",
      field: ["output_format"],
      message: `the local engine does not enforce these keywords of the schema: ${unenforced.join(", ")}`,
      set: reflect(OutputFormatSchema, { ...outputFormat, format: { case: "jsonSchema", value } }),
    };
  }
  if (asked.description !== "") {
    const message = "local models are not shown the description of the schema: say it in a message";
    yield { kind: "EMULATED", field: ["output_format", "json_schema", "description"], message };
  }
}
